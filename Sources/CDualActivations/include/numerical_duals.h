/// Loops of the duals that have no closed form: Hermite series, and sums over a table in two variables. Float64 only.
///
/// Every function is compiled for AVX-512, AVX2+FMA and baseline x86-64 and chosen when the program is loaded.
#pragma once

#include <stddef.h>

/// Terms of a series and nodes of a transform come in multiples of this; what is missing is zero.
#define NTK_SERIES_RUN 8
/// Chebyshev coefficients of a cell in each of its two variables; those of a product of two of the upper eight are taken for 0.
#define NTK_CELL_ORDER 16

/// Normalized Hermite coefficients values[l] = sum_i h_l(x_i) (l even ? even_i : odd_i), and slopes[l] of the other two, for l < terms.
/// Nodes x_i >= 0; even and odd hold weight (f(x) +- f(-x)). `scratch` has 2 count numbers. Time: 6 terms count operations.
void ntk_hermite_transform(
    double *values, double *slopes, size_t terms, const double *x, const double *even, const double *odd, const double *slope_even,
    const double *slope_odd, double *scratch, size_t count);

/// Sums over l < terms with |c| = 1 - h and b'_l = b_l, or (-1)^l b_l if `far`:
/// out[0] = sum a b' |c|^l, out[1] = sum s t' |c|^l of the slopes s and t, out[2] = sum (a - b')^2 / 2, or (a + b')^2 / 2 if `far`,
/// out[3] = sum a b' (1 - |c|^l), every term to its own relative accuracy. `tail`: the values of the longer series
/// beyond the `terms` of the shorter one, which count in out[2]. a and b change places without a change of bits.
void ntk_hermite_pair(
    double out[4], const double *a, const double *s, const double *b, const double *t, size_t terms, double h, int far,
    const double *tail, size_t tail_terms);

/// sum_i (a_i - side b_i)^2.
double ntk_squared_distance(const double *a, const double *b, double side, size_t count);

/// out_i = scale sin(x_i) for 0 <= x_i <= 3 pi / 4.
void ntk_sines(double *out, const double *x, double scale, size_t count);

/// The cell of each a_i >= 0 and its place in there: [0, unit] is cell 0, [unit 2^(k-1), unit 2^k] cell k, and places go from -1 to 1.
void ntk_cell_places(int *cells, double *places, const double *a, double unit, size_t count);

/// out[0] += sum_n weight_n sum_ij c_ij T_i(x_n) T_j(y_n) with the coefficients c of node n's cell, out[1] the same of those `slopes` numbers on.
/// Without `has_values` only the latter. /// Counts are multiples of NTK_SERIES_RUN.
void ntk_cell_sums(
    double out[2], const double *const *coefficients, size_t slopes, const double *x, const double *y, const double *weights, size_t count,
    int has_values);

/// out[i][j] = sum_k a[i][k] b[j][k] for NTK_CELL_ORDER rows of `count` numbers, a multiple of NTK_SERIES_RUN.
void ntk_cell_products(double *out, const double *a, const double *b, size_t count);

/// Chebyshev coefficients in both variables, in place, of values at the nodes cos(pi (i + 1/2) / NTK_CELL_ORDER).
void ntk_cell_transform(double *values, const double *cosines);
