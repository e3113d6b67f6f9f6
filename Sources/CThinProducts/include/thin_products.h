/// Products of a matrix with a few vectors from both sides, in one pass over the matrix.
///
/// What limits them is how fast the matrix comes from memory. A BLAS would first copy it into panels, which takes several times as long as
/// the product with ten vectors does.
#pragma once

#include <stddef.h>

/// Rows of the matrix come in multiples of this.
#define NTK_THIN_ROWS 8
/// Columns of the matrix come in multiples of this.
#define NTK_THIN_COLUMNS 64
/// Vectors come in multiples of this. Strides of 4096 bytes put whole columns into the same few places of a first-level cache: avoid them.
#define NTK_THIN_VECTORS 5

#define NTK_DECLARE(REAL, SUFFIX)                                                                                                          \
    struct ntk_thin_matrix_##SUFFIX {                                                                                                      \
        /** [rows, columns], `stride` elements from row to row. */                                                                         \
        const REAL *elements;                                                                                                              \
        size_t rows, columns, stride;                                                                                                      \
    };                                                                                                                                     \
    /** Vectors with `stride` elements from the start of one to that of the next. */                                                       \
    struct ntk_thin_vectors_##SUFFIX {                                                                                                     \
        REAL *elements;                                                                                                                    \
        size_t stride;                                                                                                                     \
    };                                                                                                                                     \
    /** right[c][i] = sum_j matrix[i][j] columns[c][j] and left[c][j] = sum_i matrix[i][j] rows[c][i] for c < count; of `right` and `left` \
        one may have null elements, and is left out with its factor. Sums in a fixed order for each level of instructions. */              \
    void ntk_thin_products_##SUFFIX(                                                                                                       \
        struct ntk_thin_vectors_##SUFFIX right, struct ntk_thin_vectors_##SUFFIX left, struct ntk_thin_matrix_##SUFFIX matrix,             \
        struct ntk_thin_vectors_##SUFFIX columns, struct ntk_thin_vectors_##SUFFIX rows, size_t count);

NTK_DECLARE(float, f32)
NTK_DECLARE(double, f64)
#undef NTK_DECLARE
