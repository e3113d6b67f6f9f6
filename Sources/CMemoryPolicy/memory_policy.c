#include "memory_policy.h"
#include <malloc.h>

void ntk_map_large_blocks(void) {
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
}
