#include "compensated_sums.h"

#include "instruction_sets.h"

typedef double lanes __attribute__((vector_size(64), aligned(8)));

// The error of s + p, exactly (Knuth).
#define TWO_SUM(s, p, sum, error)                                                                                                               \
    do {                                                                                                                                        \
        __typeof__(s) t_ = (s) + (p);                                                                                                           \
        __typeof__(s) z_ = t_ - (s);                                                                                                            \
        error = ((s) - (t_ - z_)) + ((p)-z_);                                                                                                   \
        sum = t_;                                                                                                                               \
    } while (0)

CLONES void ntk_dot2(const double *a, const double *x, size_t count, double *hi, double *lo) {
    lanes sum[2] = {{0}}, error[2] = {{0}};
    size_t j = 0;
    for (; j + 16 <= count; j += 16) {
        for (int half = 0; half < 2; half++) {
            lanes u = *(const lanes *)(a + j + 8 * half), v = *(const lanes *)(x + j + 8 * half);
            lanes product = u * v, rounding;
            lanes lost = __builtin_elementwise_fma(u, v, -product);
            TWO_SUM(sum[half], product, sum[half], rounding);
            error[half] += rounding + lost;
        }
    }
    double s = *hi, c = *lo;
    for (; j < count; j++) {
        double product = a[j] * x[j], rounding, lost = __builtin_fma(a[j], x[j], -product);
        TWO_SUM(s, product, s, rounding);
        c += rounding + lost;
    }
    for (int half = 0; half < 2; half++) {
        for (int lane = 0; lane < 8; lane++) {
            double rounding;
            TWO_SUM(s, sum[half][lane], s, rounding);
            c += rounding + error[half][lane];
        }
    }
    *hi = s;
    *lo = c;
}
