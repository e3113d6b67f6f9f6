#ifndef NTK_STREAMING_STORES_H
#define NTK_STREAMING_STORES_H

#include <stddef.h>

/// Bytes of a line of the cache, which streamed memory consists of.
#define NTK_LINE_BYTES 64

/// Copies whole lines past the caches: a line that is written whole need not be read first, and takes no room from what is read again.
/// - Parameter target: at the start of a line.
void ntk_stream_lines(void *restrict target, const void *restrict source, size_t lines);

/// Before others may read what this thread has streamed.
void ntk_end_streaming(void);

#endif
