// Sums of products as if in twice the working precision.
#pragma once
#include <stddef.h>

/// hi + lo += Σ a[j] x[j] (Dot2: Ogita, Rump, Oishi 2005, SIAM J. Sci. Comput. 26, Algorithm 5.3, in parallel lanes).
void ntk_dot2(const double *a, const double *x, size_t count, double *hi, double *lo);
