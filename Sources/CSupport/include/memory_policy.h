#pragma once

#include <stddef.h>

/// Keeps blocks up to a size, such as the bodies of requests and the pieces of answers, in the heap of their thread when they are freed, as many
/// bytes of each heap: to give them back and ask anew, page by page, takes longer than to fill them. Larger blocks go back to the system. By default
/// glibc begins to do so with use only, and keeps up to 64 MiB. Large matrices have memory of their own.
/// - Parameter memory: bytes that there are for requests, of which some percent may lie in heaps so; no more than 32 MiB in one.
void ntk_keep_freed_blocks(size_t memory);
