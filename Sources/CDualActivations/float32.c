#include "dual_activations.h"
#include "instruction_sets.h"
#include <math.h>

#define REAL float
#define SUFFIX f32
#define PRODUCT_PANEL NTK_PRODUCT_PANEL_f32
#define COSINE_PANEL (128 / sizeof(REAL))
// As assembly names the type, and one number for all lanes.
#define TYPE "s"
#define BROADCAST "%{1to16%}"
#define FABS __builtin_fabsf
#define SQRT __builtin_sqrtf
#define COPYSIGN __builtin_copysignf
#define SIGNBIT __builtin_signbit
#define BLUR_NEAR 0.06f
#define BLUR_FAR 0.01f
#define TINY 1e-37f
// Below this share of what two scales differ by, a gap is recomputed: see erf.
#define LOST 0.1f

/// 2 asin(sqrt(h/2)) / sqrt(h) on [0, 1]: Chebyshev interpolation of degree 8, relative error 3e-9 before rounding.
static inline float arc(float h) {
    static const float c[9] = {1.41421356467f,    0.11785075947f,     0.0265262528799f,  0.00779437029647f, 0.0031655614326f,
                               -0.000310268695403f, 0.00237322760506f, -0.00150167682918f, 0.000684531816625f};
    float p = c[8];
    for (int k = 7; k >= 0; k--) p = p * h + c[k];
    return p;
}

#include "loops.inc"
#include "erf.inc"
#include "blocks.inc"
#include "convolutions.inc"
#include "products.inc"
#include "cosines.inc"
