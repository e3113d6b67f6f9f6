#include "numerical_duals.h"
#include "instruction_sets.h"

#define RUN NTK_SERIES_RUN
#define ORDER NTK_CELL_ORDER

/// Eight lanes, whatever registers the machine has.
typedef double vector __attribute__((vector_size(64), aligned(8)));

// Macros, as functions that take vectors would be called in another way on every machine.
#define LOAD(p) (*(const vector *)(p))
#define SUM8(v) ((((v)[0] + (v)[4]) + ((v)[2] + (v)[6])) + (((v)[1] + (v)[5]) + ((v)[3] + (v)[7])))

CLONES void ntk_hermite_transform(
    double *restrict values, double *restrict slopes, size_t terms, const double *restrict x, const double *restrict even,
    const double *restrict odd, const double *restrict slope_even, const double *restrict slope_odd, double *restrict scratch, size_t count) {
    double *restrict before = scratch, *restrict now = scratch + count;
    for (size_t i = 0; i < count; i++) {
        before[i] = 0;
        now[i] = 1;
    }
    for (size_t l = 0; l < terms; l++) {
        const double *restrict f = l % 2 ? odd : even, *restrict g = l % 2 ? slope_odd : slope_even;
        vector value = {0}, slope = {0};
        double root = __builtin_sqrt((double)l), next = 1 / __builtin_sqrt((double)(l + 1));
        for (size_t i = 0; i + RUN <= count; i += RUN) {
            vector h = LOAD(now + i);
            value += LOAD(f + i) * h;
            slope += LOAD(g + i) * h;
            *(vector *)(now + i) = (LOAD(x + i) * h - root * LOAD(before + i)) * next;
            *(vector *)(before + i) = h;
        }
        values[l] = SUM8(value);
        slopes[l] = SUM8(slope);
    }
}

CLONES void ntk_hermite_pair(
    double out[4], const double *restrict a, const double *restrict s, const double *restrict b, const double *restrict t, size_t terms,
    double h, int far, const double *restrict tail, size_t tail_terms) {
    const double c = 1 - h;
    const vector sign = far ? (vector){1, -1, 1, -1, 1, -1, 1, -1} : (vector){1, 1, 1, 1, 1, 1, 1, 1};
    const vector side = far ? -sign : sign;
    vector power, gap;
    power[0] = 1;
    gap[0] = 0;
    for (int k = 1; k < RUN; k++) {
        gap[k] = gap[k - 1] + power[k - 1] * h;
        power[k] = power[k - 1] * c;
    }
    const double step_gap = gap[RUN - 1] + power[RUN - 1] * h, step = power[RUN - 1] * c;
    vector value = {0}, slope = {0}, distance = {0}, shrunk = {0};
    for (size_t l = 0; l < terms; l += RUN) {
        const vector first = LOAD(a + l), second = LOAD(b + l);
        // Rounded as a product before it is added, so that a and b may change places.
        const vector product = first * second * sign;
        const vector slopes = LOAD(s + l) * LOAD(t + l) * sign;
        const vector turned = side * second;
        const vector difference = first - turned;
        value += product * power;
        slope += slopes * power;
        distance += difference * difference;
        shrunk += product * gap;
        gap += power * step_gap;
        power *= step;
    }
    for (size_t l = 0; l < tail_terms; l += RUN) distance += LOAD(tail + l) * LOAD(tail + l);
    out[0] = SUM8(value);
    out[1] = SUM8(slope);
    out[2] = SUM8(distance) / 2;
    out[3] = SUM8(shrunk);
}

CLONES double ntk_squared_distance(const double *restrict a, const double *restrict b, double side, size_t count) {
    vector part = {0};
    for (size_t i = 0; i + RUN <= count; i += RUN) {
        const vector difference = LOAD(a + i) - side * LOAD(b + i);
        part += difference * difference;
    }
    return SUM8(part);
}

CLONES void ntk_sines(double *restrict out, const double *restrict x, double scale, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double y = x[i], z = 3.141592653589793 - y;
        // The rest of pi, which is lost in z, moves the sine there by less than rounding.
        y = y < z ? y : z;
        double square = y * y, sum = 1.9572941063391263e-20;
        sum = sum * square - 8.2206352466243297e-18;
        sum = sum * square + 2.8114572543455206e-15;
        sum = sum * square - 7.6471637318198164e-13;
        sum = sum * square + 1.6059043836821613e-10;
        sum = sum * square - 2.505210838544172e-08;
        sum = sum * square + 2.7557319223985893e-06;
        sum = sum * square - 0.00019841269841269841;
        sum = sum * square + 0.0083333333333333332;
        sum = sum * square - 0.16666666666666666;
        out[i] = scale * (y + y * square * sum);
    }
}

CLONES void ntk_cell_places(int *restrict cells, double *restrict places, const double *restrict a, double unit, size_t count) {
    const double root = 1.4142135623730951;
    for (size_t i = 0; i < count; i++) {
        double ratio = a[i] / unit;
        unsigned long long bits;
        __builtin_memcpy(&bits, &ratio, sizeof bits);
        int exponent = (int)(bits >> 52) - 1023;
        bits = (bits & 0xfffffffffffffull) | 0x3ff0000000000000ull;
        double mantissa;
        __builtin_memcpy(&mantissa, &bits, sizeof mantissa);
        double place = (mantissa - root) / (mantissa + root) * 5.8284271247461907;
        cells[i] = ratio < 1 ? 0 : exponent + 1;
        places[i] = ratio < 1 ? 2 * ratio - 1 : place;
    }
}

/// One array of a cell: rows i of 16 coefficients, of which the second half belongs to i < 8 only.
#define CELL_SUM(sum, c, first, k, turned)                                                                                                 \
    do {                                                                                                                                   \
        vector value[2] = {{0}, {0}};                                                                                                      \
        for (int i = 0; i < RUN; i++) {                                                                                                    \
            const double factor = ((const double *)&first[i])[k];                                                                          \
            value[0] += factor * LOAD((c) + i * ORDER);                                                                                    \
            value[1] += factor * LOAD((c) + i * ORDER + RUN);                                                                              \
        }                                                                                                                                  \
        for (int i = RUN; i < ORDER; i++) value[0] += ((const double *)&first[i])[k] * LOAD((c) + i * ORDER);                              \
        sum += value[0] * turned[0];                                                                                                       \
        sum += value[1] * turned[1];                                                                                                       \
    } while (0)

CLONES void ntk_cell_sums(
    double out[2], const double *const *coefficients, size_t slopes, const double *restrict x, const double *restrict y,
    const double *restrict weights, size_t count, int has_values) {
    vector sum = {0}, slope_sum = {0};
    for (size_t n = 0; n < count; n += RUN) {
        vector first[ORDER], second[ORDER];
        const vector xs = LOAD(x + n), ys = LOAD(y + n), weight = LOAD(weights + n);
        const vector twice = 2 * xs, twice_y = 2 * ys;
        first[0] = xs * 0 + 1;
        first[1] = xs;
        second[0] = weight;
        second[1] = ys * weight;
        for (int i = 2; i < ORDER; i++) {
            first[i] = twice * first[i - 1] - first[i - 2];
            second[i] = twice_y * second[i - 1] - second[i - 2];
        }
        for (int k = 0; k < RUN; k++) {
            const double *restrict c = coefficients[n + k], *restrict d = c + slopes;
            vector turned[2];
            for (int i = 0; i < ORDER; i++) ((double *)turned)[i] = ((const double *)&second[i])[k];
            if (has_values) CELL_SUM(sum, c, first, k, turned);
            CELL_SUM(slope_sum, d, first, k, turned);
        }
    }
    out[0] += SUM8(sum);
    out[1] += SUM8(slope_sum);
}

CLONES void ntk_cell_products(double *restrict out, const double *restrict a, const double *restrict b, size_t count) {
    for (int i = 0; i < ORDER; i++)
        for (int j = 0; j < ORDER; j++) {
            vector sum = {0};
            for (size_t k = 0; k < count; k += RUN) sum += LOAD(a + i * count + k) * LOAD(b + j * count + k);
            out[i * ORDER + j] = SUM8(sum);
        }
}

CLONES void ntk_cell_transform(double *restrict values, const double *restrict cosines) {
    double turned[ORDER * ORDER];
    // Once for each variable: transposed, so that twice is both.
    for (int i = 0; i < ORDER; i++)
        for (int k = 0; k < ORDER; k++) {
            double sum = 0;
            for (int j = 0; j < ORDER; j++) sum += cosines[k * ORDER + j] * values[i * ORDER + j];
            turned[k * ORDER + i] = sum;
        }
    for (int i = 0; i < ORDER; i++)
        for (int k = 0; k < ORDER; k++) {
            double sum = 0;
            for (int j = 0; j < ORDER; j++) sum += cosines[k * ORDER + j] * turned[i * ORDER + j];
            values[k * ORDER + i] = sum;
        }
}
