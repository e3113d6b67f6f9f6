#include "thread_sanitizer.h"

#if __has_feature(thread_sanitizer)
void __tsan_acquire(void *address);
void __tsan_release(void *address);

void ntk_lock_taken(const void *lock) { __tsan_acquire((void *)lock); }
void ntk_lock_given_back(const void *lock) { __tsan_release((void *)lock); }
#else
void ntk_lock_taken(const void *lock) { (void)lock; }
void ntk_lock_given_back(const void *lock) { (void)lock; }
#endif
