// RTLD_DEFAULT.
#define _GNU_SOURCE
#include "blas_kernels.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "instruction_sets.h"

// Looked up by name: a library that was built for one kind of processor has none of them.
static void *symbol(const char *name) { return dlsym(RTLD_DEFAULT, name); }

const char *ntk_blas_kernels(void) {
    char *(*name)(void) = (char *(*)(void))symbol("openblas_get_corename");
    return name ? name() : "";
}

void ntk_choose_blas_kernels(void) {
    int level = ntk_instruction_level();
    if (level < 3 || getenv("OPENBLAS_CORETYPE") || strcmp(ntk_blas_kernels(), "Prescott") != 0) return;
    void (*quit)(void) = (void (*)(void))symbol("gotoblas_dynamic_quit");
    void (*init)(void) = (void (*)(void))symbol("gotoblas_dynamic_init");
    if (!quit || !init) return;
    // The only way to tell the library.
    setenv("OPENBLAS_CORETYPE", level == 4 ? "SkylakeX" : "Haswell", 0);
    quit();
    init();
    unsetenv("OPENBLAS_CORETYPE");
}
