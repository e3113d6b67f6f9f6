#pragma once
#define FMT_HEADER_ONLY
// The whole table of powers of ten: 10 kB, and half the time of the short one.
#define FMT_USE_FULL_CACHE_DRAGONBOX 1
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>

// The decimal form of a binary number: the shortest digits that read back as the same value, by Dragonbox (Jeon 2020) as libfmt has it, and
// their layout, which libfmt's and the standard library's own do digit by digit.

namespace ntk {

/// Eight digits of a number below 10^8, the most significant in the lowest byte.
inline uint64_t eight_digits(uint32_t number) {
    // Pairs of halves in lanes of 32, 16 and 8 bits; n / 10^k by a multiplication that is exact for these n.
    uint64_t high = number / 10000, low = number % 10000;
    uint64_t fours = high | low << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & 0x0000007f0000007f;
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = (twos * 103 >> 10) & 0x000f000f000f000f;
    return (tens | (twos - 10 * tens) << 8) + 0x3030303030303030;
}

inline constexpr uint64_t powers_of_ten[18] = {
    1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull, 100000000ull, 1000000000ull, 10000000000ull, 100000000000ull,
    1000000000000ull, 10000000000000ull, 100000000000000ull, 1000000000000000ull, 10000000000000000ull, 100000000000000000ull};

/// Writes a finite number that is not zero; at most 25 bytes, and up to 40 are touched.
template <typename Real> inline char *write_shortest(Real value, char *out) {
    *out = '-';
    out += std::signbit(value);
    value = std::fabs(value);
    // Digits that the longest significand has: one and one or two times eight.
    constexpr int longest = sizeof(Real) == 8 ? 17 : 9;
    constexpr uint64_t unit = powers_of_ten[longest - 1];
    auto decimal = fmt::detail::dragonbox::to_decimal(value);
    uint64_t significand = decimal.significand;
    int count = fmt::detail::count_digits(significand);
    // The value is 0.d1 d2 d3 … · 10^point, with zeros behind.
    int point = count + decimal.exponent;
    uint64_t padded = significand * powers_of_ten[longest - count];
    char leading = static_cast<char>('0' + padded / unit);
    uint64_t tail = padded % unit, first, second = 0;
    if constexpr (longest == 17) {
        first = eight_digits(static_cast<uint32_t>(tail / 100000000));
        second = eight_digits(static_cast<uint32_t>(tail % 100000000));
    } else {
        first = eight_digits(static_cast<uint32_t>(tail));
    }
    // Straight from registers: what was just stored in pieces is slow to read back.
    auto put_tail = [&](char *place) {
        std::memcpy(place, &first, 8);
        if (longest == 17) std::memcpy(place + 8, &second, 8);
    };
    // 0.000ddd and d.ddd are one case without a branch, as numbers around 1 come in any order.
    if (point <= 1 && point > (count > 1 ? -4 : -3)) {
        std::memcpy(out, "0.0000", 6);
        out[2 - point] = leading;
        out[0] = point == 1 ? leading : '0';
        out[1] = '.';
        put_tail(out + 3 - point);
        int length = 2 - point + count;
        return out + (point == 1 && count == 1 ? 1 : length);
    }
    if (point > 1 && point <= longest && point <= count + (count > 1 ? 5 : 4)) {
        out[0] = leading;
        put_tail(out + 1);
        if (point >= count) return out + point;
        char rest[16];
        std::memcpy(rest, out + point, 16);
        out[point] = '.';
        std::memcpy(out + point + 1, rest, 16);
        return out + count + 1;
    }
    // d.ddde±xx
    out[0] = leading;
    out[1] = '.';
    put_tail(out + 2);
    out += count > 1 ? count + 1 : 1;
    *out++ = 'e';
    int exponent = point - 1;
    *out++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    if (exponent >= 100) {
        *out++ = static_cast<char>('0' + exponent / 100);
        exponent %= 100;
    }
    *out++ = static_cast<char>('0' + exponent / 10);
    *out++ = static_cast<char>('0' + exponent % 10);
    return out;
}

} // namespace ntk
