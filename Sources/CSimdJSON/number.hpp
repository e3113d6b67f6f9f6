// Reads numbers in two ways: fast where the text is usual, exactly everywhere.
#pragma once
#include <cstring>
#include <simdjson.h>
#include <string_view>

struct ExactNumber {
    enum Status { good, malformed, overflow } status;
    /// Where the number ends, or where it stops being one.
    size_t end;
    /// Neither a fraction nor an exponent.
    bool is_integer;
    double value;
};

/// Reads the number at `at` by the grammar of RFC 8259 §6, however long it is, and never beyond the text. What is below the range of
/// float64 is a zero of its sign.
ExactNumber read_exactly(std::string_view text, size_t at);

/// Whether a number or a word may end here.
inline bool ends_word(std::string_view text, size_t end) {
    return end >= text.size() || std::string_view(" \t\n\r,]}:").find(text[end]) != std::string_view::npos;
}

/// Whether eight digits stand here.
inline bool has_eight_digits(const uint8_t *from) {
    uint64_t bytes;
    std::memcpy(&bytes, from, 8);
    return ((bytes & 0xF0F0F0F0F0F0F0F0) | (((bytes + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) >> 4)) == 0x3333333333333333;
}

/// The value of eight digits (Mula and Lemire: pairs, then fours, then eight).
inline uint64_t eight_digits(const uint8_t *from) {
    uint64_t bytes;
    std::memcpy(&bytes, from, 8);
    bytes = (bytes & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
    bytes = (bytes & 0x00FF00FF00FF00FF) * 6553601 >> 16;
    return (bytes & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
}

/// Reads a number of at most 19 significant digits, correctly rounded (simdjson's Eisel–Lemire). Returns its end, or null where
/// `read_exactly` must decide, be it that the number is long or that there is none. May read eight bytes beyond the number.
inline const uint8_t *read_fast(const uint8_t *from, double &value) {
    const uint8_t *at = from;
    bool negative = *at == '-';
    at += negative;
    const uint8_t *digits = at;
    uint64_t mantissa = 0;
    unsigned digit = *at - unsigned('0');
    if (digit == 0) {
        at++;
        if (*at - unsigned('0') <= 9) return nullptr;
    } else {
        if (digit > 9) return nullptr;
        do {
            mantissa = 10 * mantissa + digit;
            at++;
            digit = *at - unsigned('0');
        } while (digit <= 9);
    }
    size_t count = static_cast<size_t>(at - digits);
    int64_t exponent = 0;
    if (*at == '.') {
        const uint8_t *fraction = ++at;
        while (has_eight_digits(at)) {
            mantissa = 100000000 * mantissa + eight_digits(at);
            at += 8;
        }
        while ((digit = *at - unsigned('0')) <= 9) {
            mantissa = 10 * mantissa + digit;
            at++;
        }
        if (at == fraction) return nullptr;
        exponent = fraction - at;
        count += static_cast<size_t>(at - fraction);
    }
    if ((*at | 0x20) == 'e') {
        at++;
        bool falls = *at == '-';
        at += falls || *at == '+';
        const uint8_t *power = at;
        int64_t size = 0;
        while ((digit = *at - unsigned('0')) <= 9 && at < power + 5) {
            size = 10 * size + digit;
            at++;
        }
        if (at == power || at == power + 5) return nullptr;
        exponent += falls ? -size : size;
    }
    if (count > 19) {
        // Zeros in front are no significant digits: 0.000…
        for (const uint8_t *zero = digits; *zero == '0' || *zero == '.'; zero++) count -= *zero == '0';
        if (count > 19) return nullptr;
    }
    if (exponent == 0) {
        value = negative ? -static_cast<double>(mantissa) : static_cast<double>(mantissa);
        return at;
    }
    if (exponent < simdjson::internal::smallest_power || exponent > simdjson::internal::largest_power) return nullptr;
    return simdjson::SIMDJSON_BUILTIN_IMPLEMENTATION::numberparsing::compute_float_64(exponent, mantissa, negative, value) ? at : nullptr;
}
