#ifndef NTK_INSTRUCTION_SETS_H
#define NTK_INSTRUCTION_SETS_H

/// Before a function: compile it for AVX-512, AVX2 with FMA, and baseline x86-64; the dynamic linker picks the best that the machine has.
///
/// NTK_INSTRUCTION_LEVEL=4, 3 or 1, given to the compiler, compiles for that level alone, however much the machine has: Tests/InstructionSets
/// compares the levels so.
#ifdef NTK_INSTRUCTION_LEVEL
#if NTK_INSTRUCTION_LEVEL == 4
#define CLONES __attribute__((target("arch=x86-64-v4")))
#elif NTK_INSTRUCTION_LEVEL == 3
#define CLONES __attribute__((target("arch=x86-64-v3")))
#else
#define CLONES
#endif
#endif
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
// The resolvers of the clones run before the thread sanitizer is ready, and are instrumented all the same.
#undef CLONES
#define CLONES
#endif
#endif
#ifndef CLONES
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif

/// The x86-64 level of the machine's vector instructions: 4 (AVX-512), 3 (AVX2 with FMA) or 1. For functions whose source differs by level.
int ntk_instruction_level(void);

/// Whether vectors are added in other units than those that multiply and add, as in AMD's processors; in Intel's they share theirs.
int ntk_has_separate_adders(void);

#endif
