#include "memory_policy.h"
#include <malloc.h>

void ntk_keep_freed_blocks(void) {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
}
