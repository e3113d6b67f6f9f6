#include "streaming_stores.h"

#include <string.h>

typedef long long part __attribute__((vector_size(16)));

void ntk_stream_lines(void *restrict target, const void *restrict source, size_t lines) {
    part *to = target;
    const char *from = source;
    for (size_t k = 0; k < lines * (NTK_LINE_BYTES / sizeof(part)); k++) {
        part value;
        memcpy(&value, from + k * sizeof(part), sizeof(part));
        __builtin_nontemporal_store(value, to + k);
    }
}

void ntk_end_streaming(void) {
#ifdef __x86_64__
    __builtin_ia32_sfence();
#else
    __atomic_thread_fence(__ATOMIC_RELEASE);
#endif
}
