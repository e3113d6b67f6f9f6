#include "number.hpp"
#include <algorithm>
#include <charconv>
#include <cmath>

namespace {

/// Whether a number that is out of float64's range is too large rather than too small: the power of ten of its first significant digit.
bool is_large(std::string_view digits, std::string_view fraction, std::string_view exponent) {
    int64_t power = 0;
    bool falls = !exponent.empty() && exponent[0] == '-';
    for (char c : exponent)
        if (c >= '0' && c <= '9') power = std::min<int64_t>(10 * power + (c - '0'), int64_t(1) << 50);
    if (falls) power = -power;
    size_t first = digits.find_first_not_of('0');
    if (first != std::string_view::npos) return power + static_cast<int64_t>(digits.size() - first) > 0;
    return power > static_cast<int64_t>(fraction.find_first_not_of('0'));
}

} // namespace

ExactNumber read_exactly(std::string_view text, size_t at) {
    size_t start = at;
    bool negative = at < text.size() && text[at] == '-';
    if (negative) at++;
    auto run = [&] {
        size_t begin = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') at++;
        return text.substr(begin, at - begin);
    };
    std::string_view digits = run(), fraction, exponent;
    bool is_integer = true;
    bool good = !digits.empty() && (digits.size() == 1 || digits[0] != '0');
    if (good && at < text.size() && text[at] == '.') {
        at++;
        is_integer = false;
        fraction = run();
        good = !fraction.empty();
    }
    if (good && at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        size_t sign = ++at;
        is_integer = false;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) at++;
        good = !run().empty();
        exponent = text.substr(sign, at - sign);
    }
    if (!good) return ExactNumber{ExactNumber::malformed, at, false, 0};
    double value = 0;
    auto result = std::from_chars(text.data() + start, text.data() + at, value);
    if (result.ec == std::errc::result_out_of_range) {
        if (is_large(digits, fraction, exponent)) return ExactNumber{ExactNumber::overflow, at, is_integer, 0};
        value = negative ? -0.0 : 0.0;
    }
    return ExactNumber{std::isfinite(value) ? ExactNumber::good : ExactNumber::overflow, at, is_integer, value};
}
