#include "simdjson_face.h"
#include <charconv>
#include <cmath>
#include <string_view>

namespace {

template <typename Real> size_t write(const Real *values, size_t count, unsigned char *out, bool *finite) {
    char *start = reinterpret_cast<char *>(out), *next = start;
    *finite = true;
    for (size_t index = 0; index < count; index++) {
        if (!std::isfinite(values[index])) {
            *finite = false;
            break;
        }
        if (index > 0) *next++ = ',';
        if (values[index] == 0 && std::signbit(values[index])) {
            // Many readers take -0 for the integer 0.
            for (char c : std::string_view("-0.0")) *next++ = c;
            continue;
        }
        // Without a format argument: the shortest text that reads back as the same value.
        next = std::to_chars(next, next + NTK_JSON_NUMBER_SIZE, values[index]).ptr;
    }
    return static_cast<size_t>(next - start);
}

} // namespace

size_t ntk_json_write_f64(const double *values, size_t count, unsigned char *out, bool *finite) { return write(values, count, out, finite); }
size_t ntk_json_write_f32(const float *values, size_t count, unsigned char *out, bool *finite) { return write(values, count, out, finite); }
