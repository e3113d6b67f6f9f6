/// Element loops of the analytic kernels: one function per layer, applied to a run of pairs (x_i, x_j) with i fixed and j contiguous.
///
/// A pair is held by its *gap* z, which says how far the cosine c of its two (pre)activations is from +1 or -1, whichever is nearer:
///
///     z = 1 - c       if c >= 0   (z in [0, 1])
///     z = -(1 + c)    if c <  0   (z in [-1, -0.0]; the sign bit alone tells the side, also at z = -0.0)
///
/// so that angles near 0 and near pi keep their relative accuracy: theta = 2 asin(sqrt(|z|/2)), or pi minus that. The covariance itself is
/// a_i a_j c with the standard deviations a of the two points, which belong to the points and are computed once for each of them.
///
/// Counts are multiples of NTK_RUN; buffers are padded so that no loop has a remainder and a pair's result does not depend on its place.
/// Every function is compiled for AVX-512, AVX2+FMA and baseline x86-64 and chosen when the program is loaded.
#pragma once

#include <stddef.h>

#define NTK_RUN 16

/// Points in a panel of inner_products: three vector registers of 64 bytes.
#define NTK_PRODUCT_PANEL_f64 24
#define NTK_PRODUCT_PANEL_f32 48
/// Rows of inner_products come in blocks of this many.
#define NTK_BLOCK_ROWS 4
/// Coordinates over which `cosines` sums at a time: a panel's and the rows' are in the second-level cache. Shorter sums also round less.
#define NTK_COSINE_CHUNK 264

#define NTK_DECLARE(REAL, SUFFIX)                                                                                                          \
    /** unit = x / |x|, zeros if |x|^2 / dimension is 0; any dimension. Returns |x|, also where |x|^2 would overflow. */                     \
    double ntk_normalize_##SUFFIX(const double *x, REAL *unit, size_t dimension);                                                          \
    /** panel[k][j] = rows[j][k] for as many rows of `dimension` numbers as a panel of inner_products or of cosines has. */                \
    void ntk_pack_panel_##SUFFIX(REAL *panel, const REAL *rows, size_t dimension, size_t points);                                          \
    /** out[i][j] = rows[i] . point j of the panels: rows in whole blocks of NTK_BLOCK_ROWS, out with `stride` >= all points of the panels. \
        `upper_only`: of a row, elements before the run of the diagonal may be left as they are. */                                          \
    void ntk_inner_products_##SUFFIX(                                                                                                      \
        REAL *out, size_t stride, const REAL *rows, size_t row_count, const REAL *panels, size_t panel_count, size_t dimension,            \
        int upper_only);                                                                                                                   \
    /** Unit vectors and what belongs to each of them: the sums of `pair_sums`, of point i and chunk c at [c * stride + i]. */                   \
    struct ntk_points_##SUFFIX {                                                                                                           \
        const REAL *units, *pair_sums;                                                                                                     \
        size_t stride;                                                                                                                     \
    };                                                                                                                                     \
    /** For each chunk of NTK_COSINE_CHUNK coordinates sum x1 x2 over the first two of every three, at sums[chunk * stride]. */             \
    void ntk_pair_sums_##SUFFIX(REAL *sums, size_t stride, const REAL *unit, size_t dimension);                                            \
    /** Points in a panel of `cosines`: two vector registers of 64 bytes, or as inner_products has. */                                     \
    size_t ntk_cosine_panel_##SUFFIX(void);                                                                                                \
    /** inner_products of unit vectors, or zeros: `rows.units` in rows, `columns.units` in panels. */                                      \
    void ntk_cosines_##SUFFIX(                                                                                                             \
        REAL *out, size_t stride, struct ntk_points_##SUFFIX rows, size_t row_count, struct ntk_points_##SUFFIX columns,                    \
        size_t panel_count, size_t dimension, int upper_only);                                                                             \
    /** Cosines to gaps, in place. A cosine beyond +-1 by rounding counts as +-1. */                                                       \
    void ntk_gap_from_cosine_##SUFFIX(REAL *z, size_t count);                                                                              \
    /** Recomputes the gaps with |z| < threshold directly from the points, of norms `norm` and `norms`, to a relative accuracy of some eps.    \
        No padding needed. `others` holds `count` rows of `dimension` numbers. Returns whether a point coincides with the first. */         \
    int ntk_refine_gaps_##SUFFIX(                                                                                                          \
        REAL *z, size_t count, const double *x, double norm, const double *others, const double *norms, size_t dimension, REAL threshold);  \
    /** phi(u) = a min(u,0) + b max(u,0): z' = gap of the arc-cosine kernel with asymmetry = (a-b)^2/(a^2+b^2);                              \
        theta *= power (1 - asymmetry angle/pi), power = (a^2+b^2)/2. `theta` may be null. */                                              \
    void ntk_ab_relu_##SUFFIX(REAL *z, REAL *theta, size_t count, REAL asymmetry, REAL power);                                             \
    /** The same for asymmetry 1 where all z >= 0, to the same bits. */                                                                    \
    void ntk_near_relu_##SUFFIX(REAL *z, REAL *theta, size_t count, REAL power);                                                           \
    /** Adds an independent feature common to all points (a bias): s = share of the old feature, e = share of the new, s^2 + e^2 = 1. */    \
    void ntk_add_constant_##SUFFIX(REAL *z, size_t count, REAL s, REAL e, const REAL *s_others, const REAL *e_others);                      \
    /** The same where all z >= 0. */                                                                                                      \
    void ntk_near_constant_##SUFFIX(REAL *z, size_t count, REAL s, REAL e, const REAL *s_others, const REAL *e_others);                     \
    /** theta = weight * theta + input * a_i a_j c + constant: what an affine layer does to the NTK, with the covariance before it. */      \
    void ntk_affine_theta_##SUFFIX(                                                                                                        \
        REAL *theta, const REAL *z, size_t count, REAL weight, REAL input, REAL constant, REAL a, const REAL *a_others);                   \
    /** affine_theta and then relu (near_relu where `is_near`), to the same bits in one pass: the sums are done while roots are taken. */   \
    void ntk_affine_then_relu_##SUFFIX(                                                                                                    \
        REAL *z, REAL *theta, size_t count, REAL weight, REAL input, REAL constant, REAL a, const REAL *a_others, REAL power,              \
        int is_near);                                                                                                                      \
    /** phi(u) = erf(u), see ErfPoints for the constants of a point; theta *= slope r_i r_j / sqrt(1 - (p_i p_j c)^2). Returns whether a gap  \
        is so small beside the difference of two scales that it has lost digits. */                                                        \
    int ntk_erf_##SUFFIX(                                                                                                                 \
        REAL *z, REAL *theta, size_t count, REAL slope, const REAL point[6], const REAL *p, const REAL *r, const REAL *rest,               \
        const REAL *cosine, const REAL *scale, const REAL *inverse);                                                                       \
    /** The loops over blocks of positions: see blocks.inc. */                                                                             \
    struct ntk_window_##SUFFIX {                                                                                                           \
        /** The blocks, or planes, of the taps along the leading axes. */                                                                  \
        const REAL *const *blocks;                                                                                                         \
        size_t count;                                                                                                                      \
        /** Rows of the point whose partner lies beyond an edge, added up over the taps; null where there is none. */                      \
        const REAL *first_alone, *second_alone;                                                                                            \
        /** What a position finds beside the last axis: its own variance; null: zeros. */                                                  \
        const REAL *first, *second;                                                                                                        \
        size_t width, stride, low, high, extended_stride;                                                                                  \
        int wraps;                                                                                                                         \
    };                                                                                                                                     \
    struct ntk_affine_relu_##SUFFIX {                                                                                                      \
        REAL weight, input, constant, asymmetry, power;                                                                                    \
        /** Whether it is relu (asymmetry 1) and no covariance is negative. */                                                             \
        int near;                                                                                                                          \
    };                                                                                                                                     \
    void ntk_variance_planes_##SUFFIX(                                                                                                     \
        const double *values, size_t rows, size_t width, size_t stride, REAL *variances, REAL *roots, REAL *inverses);                     \
    void ntk_extend_block_##SUFFIX(REAL *extended, const struct ntk_window_##SUFFIX *window);                                              \
    void ntk_slide_block_##SUFFIX(                                                                                                         \
        REAL *out, size_t out_rows, size_t out_stride, const REAL *extended, size_t stride, size_t taps, REAL scale);                      \
    void ntk_window_plane_##SUFFIX(                                                                                                        \
        REAL *out, size_t out_rows, size_t out_stride, const REAL *in, REAL *extended, const struct ntk_window_##SUFFIX *window,           \
        const int *table, size_t taps, REAL scale);                                                                                        \
    int ntk_affine_relu_block_##SUFFIX(                                                                                                    \
        REAL *distance, REAL *theta, size_t rows, size_t stride, int aligned, int theta_is_zero,                                           \
        const struct ntk_affine_relu_##SUFFIX *parameters, const REAL *q1, const REAL *q2, const REAL *a1, const REAL *i1,                 \
        const REAL *a2, const REAL *i2);                                                                                                   \
    int ntk_convolution_relu_block_##SUFFIX(                                                                                               \
        REAL *distance, REAL *theta, size_t rows, size_t stride, const REAL *extended, const REAL *tangents, size_t extended_stride,       \
        REAL scale, const struct ntk_affine_relu_##SUFFIX *parameters, const REAL *q1, const REAL *q2, const REAL *a1, const REAL *i1,     \
        const REAL *a2, const REAL *i2);                                                                                                   \
    int ntk_window_relu_block_##SUFFIX(                                                                                                    \
        REAL *distance, REAL *theta, const struct ntk_window_##SUFFIX *window, const struct ntk_window_##SUFFIX *tangents, REAL scale,     \
        const struct ntk_affine_relu_##SUFFIX *parameters, const REAL *q1, const REAL *q2, const REAL *a1, const REAL *i1, const REAL *a2, \
        const REAL *i2);                                                                                                                   \
    void ntk_affine_block_##SUFFIX(                                                                                                        \
        REAL *distance, REAL *theta, int theta_is_zero, size_t rows, size_t stride, int aligned, REAL weight, REAL input, REAL constant,   \
        const REAL *q1, const REAL *q2);                                                                                                   \
    void ntk_ab_relu_block_##SUFFIX(                                                                                                       \
        REAL *distance, REAL *theta, size_t rows, size_t stride, int aligned, REAL asymmetry, REAL power, const REAL *a1, const REAL *i1,  \
        const REAL *a2, const REAL *i2);                                                                                                   \
    int ntk_blurred_block_##SUFFIX(const REAL *distance, size_t rows, size_t stride, int aligned, const REAL *a1, const REAL *a2);            \
    double ntk_block_sum_##SUFFIX(const REAL *block, size_t rows, size_t columns, size_t stride);                                          \
    void ntk_input_distances_##SUFFIX(                                                                                                     \
        REAL *out, size_t stride, const REAL *x, size_t rows, const REAL *y, size_t channels, int aligned);                                \
    /** out = a_i a_j c. */                                                                                                                \
    void ntk_covariance_##SUFFIX(REAL *out, const REAL *z, size_t count, REAL a, const REAL *a_others);

NTK_DECLARE(double, f64)
NTK_DECLARE(float, f32)
#undef NTK_DECLARE
