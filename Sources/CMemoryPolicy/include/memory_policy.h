#pragma once

/// Maps blocks of 4 MiB and more by themselves, so that a matrix goes back to the system when it is freed. By default glibc's threshold
/// grows to 32 MiB with use, and a freed matrix then stays in the heap of one thread, where the next matrix, on another, does not find it.
/// Smaller blocks, tiles and pieces of answers, stay with their thread up to 32 MiB: to give them back and ask anew, page by page, takes
/// longer than to fill them.
void ntk_map_large_blocks(void);
