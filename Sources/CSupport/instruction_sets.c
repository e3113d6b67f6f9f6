#include "instruction_sets.h"

int ntk_instruction_level(void) {
#ifdef NTK_INSTRUCTION_LEVEL
    return NTK_INSTRUCTION_LEVEL;
#else
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return 4;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 3 : 1;
#endif
}

// With NTK_SEPARATE_ADDERS=1 or 0, given to the compiler, as if it were so.
int ntk_has_separate_adders(void) {
#ifdef NTK_SEPARATE_ADDERS
    return NTK_SEPARATE_ADDERS;
#else
    return __builtin_cpu_is("amd");
#endif
}
