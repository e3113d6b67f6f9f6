#include "memory_policy.h"
#include <malloc.h>

void ntk_map_large_blocks(void) { mallopt(M_MMAP_THRESHOLD, 4 << 20); }
