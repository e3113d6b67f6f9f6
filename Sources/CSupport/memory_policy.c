#include "memory_policy.h"
#include <malloc.h>

/// There are some ten threads, each with a heap of its own.
static const size_t share = 400;
static const size_t least = 128 << 10, most = 32 << 20;

void ntk_keep_freed_blocks(size_t memory) {
    size_t kept = memory / share;
    kept = kept < least ? least : kept > most ? most : kept;
    mallopt(M_MMAP_THRESHOLD, (int)kept);
    mallopt(M_TRIM_THRESHOLD, (int)kept);
}
