#pragma once

/// Maps blocks of 4 MiB and more by themselves, so that a matrix goes back to the system when it is freed. By default glibc's threshold
/// grows to 32 MiB with use, and a freed matrix then stays in the heap of one thread, where the next matrix, on another, does not find it.
void ntk_map_large_blocks(void);
