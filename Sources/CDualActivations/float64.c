#include "dual_activations.h"
#include "instruction_sets.h"
#include <math.h>

#define REAL double
#define SUFFIX f64
#define PRODUCT_PANEL NTK_PRODUCT_PANEL_f64
#define COSINE_PANEL (128 / sizeof(REAL))
// As assembly names the type, and one number for all lanes.
#define TYPE "d"
#define BROADCAST "%{1to8%}"
#define FABS __builtin_fabs
#define SQRT __builtin_sqrt
#define COPYSIGN __builtin_copysign
#define SIGNBIT __builtin_signbit
#define TINY 1e-300
#define BLUR_NEAR 1e-4
#define BLUR_FAR 2e-5
// Below this share of what two scales differ by, a gap is recomputed: see erf.
#define LOST 1e-3

/// 2 asin(sqrt(h/2)) / sqrt(h) on [0, 1]: Chebyshev interpolation of degree 18, relative error 2e-17 before rounding.
static inline double arc(double h) {
    static const double c[19] = {
        1.414213562373095065263,       0.1178511301977460431094,     0.02651650429591616658765,    0.007891816687096197650624,
        0.002685411542950586423046,    0.0009886937064591983700034,  0.0003837000361256814709395,  0.0001525079718238568379191,
        0.00007287068257137791540741,  -0.000007185800992367848025, 0.0001087123001836180699624,  -0.0002049991934947368062305,
        0.0003480987471498245340443,   -0.0004300094515949479430441, 0.0004006882818589302050977,  -0.00026884644677358589363,
        0.0001242516786954812693775,   -0.00003537835495282186847858, 0.000004797541033020616553613};
    double p = c[18];
    for (int k = 17; k >= 0; k--) p = p * h + c[k];
    return p;
}

#include "loops.inc"
#include "erf.inc"
#include "blocks.inc"
#include "convolutions.inc"
#include "products.inc"
#include "cosines.inc"
