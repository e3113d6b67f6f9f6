#include "decimal.hpp"
#include "simdjson_face.h"
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace {

/// Integers below this are written as such: faster, and never longer than their floating-point form by more than a digit.
constexpr double exact_integers = 1e6;

/// The shortest text that reads back as the same value, as to_chars gives it without a format argument.
template <typename Real> char *write_digits(Real value, char *out, bool has_room) {
    // Large ones, of which to_chars writes the exact digits, subnormal ones and the last are left to it.
    if (has_room && std::fabs(value) < Real(exact_integers) && std::fabs(value) >= std::numeric_limits<Real>::min())
        return ntk::write_shortest(value, out);
    return std::to_chars(out, out + NTK_JSON_NUMBER_SIZE, value).ptr;
}

template <typename Real> char *write_one(Real value, char *out, bool has_room) {
    if (std::fabs(value) < Real(exact_integers)) {
        int32_t integer = static_cast<int32_t>(value);
        if (static_cast<Real>(integer) == value) {
            // Many readers take -0 for the integer 0.
            if (integer == 0 && std::signbit(value)) return static_cast<char *>(std::memcpy(out, "-0.0", 4)) + 4;
            return std::to_chars(out, out + NTK_JSON_NUMBER_SIZE, integer).ptr;
        }
    }
    return write_digits(value, out, has_room);
}

template <typename Real> size_t write(const Real *values, size_t count, unsigned char *out, size_t *written) {
    char *start = reinterpret_cast<char *>(out), *next = start;
    size_t index = 0;
    for (; index < count && std::isfinite(values[index]); index++) {
        if (index > 0) *next++ = ',';
        // All but the last have a number's room behind theirs.
        next = write_one(values[index], next, index + 1 < count);
    }
    *written = index;
    return static_cast<size_t>(next - start);
}

} // namespace

size_t ntk_json_write_f64(const double *values, size_t count, unsigned char *out, size_t *written) { return write(values, count, out, written); }
size_t ntk_json_write_f32(const float *values, size_t count, unsigned char *out, size_t *written) { return write(values, count, out, written); }
