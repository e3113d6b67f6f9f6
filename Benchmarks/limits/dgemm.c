/* The least that a kernel of m points with k features can take: the time of one matrix product X·Yᵀ (m×k by k×m), float64 and float32.
   Usage: dgemm M K REPETITIONS. Prints "dgemm SECONDS sgemm SECONDS threads N" (medians) and OpenBLAS's configuration. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL) {
        fputs("no memory\n", stderr);
        exit(1);
    }
    return memory;
}

int main(int argc, char **argv)
{
    const int m = argc > 1 ? atoi(argv[1]) : 0, k = argc > 2 ? atoi(argv[2]) : 0, repetitions = argc > 3 ? atoi(argv[3]) : 0;
    if (m < 1 || k < 1 || repetitions < 1) {
        fprintf(stderr, "usage: %s M K REPETITIONS\n", argv[0]);
        return 2;
    }
    const size_t inputs = (size_t)m * (size_t)k, outputs = (size_t)m * (size_t)m;
    double *x = allocate(inputs * sizeof *x), *product = allocate(outputs * sizeof *product);
    float *xs = allocate(inputs * sizeof *xs), *products = allocate(outputs * sizeof *products);
    double *seconds = allocate(2 * (size_t)repetitions * sizeof *seconds), *seconds32 = seconds + repetitions;
    for (size_t i = 0; i < inputs; i++) xs[i] = (float)(x[i] = rand() / (double)RAND_MAX - 0.5);

    /* Round -1 warms up: pages, threads and caches. */
    for (int round = -1; round < repetitions; round++) {
        double start = now();
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, m, k, 1, x, k, x, k, 0, product, m);
        if (round >= 0) seconds[round] = now() - start;
        start = now();
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, m, k, 1, xs, k, xs, k, 0, products, m);
        if (round >= 0) seconds32[round] = now() - start;
    }
    qsort(seconds, (size_t)repetitions, sizeof *seconds, compare);
    qsort(seconds32, (size_t)repetitions, sizeof *seconds32, compare);
    printf("dgemm %.6f sgemm %.6f threads %d\n%s\n", seconds[repetitions / 2], seconds32[repetitions / 2], openblas_get_num_threads(),
           openblas_get_config());
    free(x);
    free(product);
    free(xs);
    free(products);
    free(seconds);
    return 0;
}
