#pragma once

/// Keeps blocks up to 32 MiB, such as the bodies of requests and the pieces of answers, in the heap of their thread when they are freed, 32 MiB
/// of each heap: to give them back and ask anew, page by page, takes longer than to fill them. Larger blocks go back to the system. By default
/// glibc begins to do so with use only, and keeps twice as much. Large matrices have memory of their own.
void ntk_keep_freed_blocks(void);
