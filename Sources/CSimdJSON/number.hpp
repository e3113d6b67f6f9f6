// Reads numbers in two ways: fast where the text is usual, exactly everywhere.
#pragma once
#include <cstring>
#include <simdjson.h>
#include <string_view>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/// Eight bytes, each less the character 0: digits are 0 to 9.
inline uint64_t eight_bytes(const uint8_t *at) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first digit is the lowest byte");
    uint64_t bytes;
    std::memcpy(&bytes, at, 8);
    return bytes ^ 0x3030303030303030;
}

/// The high bit of each byte above 9. A carry can spoil only bytes behind the first of them.
inline uint64_t other_bytes(uint64_t bytes) { return (bytes | (bytes + 0x7676767676767676)) & 0x8080808080808080; }

/// The value of eight digits: pairs, then fours, then eight (Mula and Lemire).
inline uint64_t eight_digits(uint64_t bytes) {
    bytes = bytes * 2561 >> 8;
    bytes = (bytes & 0x00FF00FF00FF00FF) * 6553601 >> 16;
    return (bytes & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
}

/// The value of sixteen digits; false if one of the bytes is none.
inline bool sixteen_digits(const uint8_t *at, uint64_t &value) {
#ifdef __SSE2__
    __m128i bytes, zero = _mm_setzero_si128();
    std::memcpy(&bytes, at, 16);
    __m128i digits = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)) != 0xFFFF) return false;
    // Pairs, fours and eights, each the sum of two products.
    __m128i tens = _mm_set1_epi32(1 << 16 | 10), hundreds = _mm_set1_epi32(1 << 16 | 100), thousands = _mm_set1_epi32(1 << 16 | 10000);
    __m128i pairs = _mm_packs_epi32(_mm_madd_epi16(_mm_unpacklo_epi8(digits, zero), tens), _mm_madd_epi16(_mm_unpackhi_epi8(digits, zero), tens));
    __m128i fours = _mm_madd_epi16(pairs, hundreds);
    uint64_t eights = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_madd_epi16(_mm_packs_epi32(fours, fours), thousands)));
    value = (eights & 0xFFFFFFFF) * 100000000 + (eights >> 32);
#else
    uint64_t first = eight_bytes(at), second = eight_bytes(at + 8);
    if (other_bytes(first) != 0 || other_bytes(second) != 0) return false;
    value = eight_digits(first) * 100000000 + eight_digits(second);
#endif
    return true;
}

/// Appends digits to a number, one after another; returns where they end.
inline const uint8_t *append_digits(const uint8_t *at, uint64_t &value) {
    for (unsigned digit; (digit = *at - unsigned('0')) <= 9; at++) value = 10 * value + digit;
    return at;
}

/// Reads a number of at most 19 significant digits, correctly rounded (simdjson's Eisel–Lemire). Returns its end, or null where
/// `read_exactly` must decide, be it that the number is long or that there is none. May read sixteen bytes beyond the number.
inline const uint8_t *read_fast(const uint8_t *from, double &value) {
    bool negative = *from == '-';
    const uint8_t *digits = from + negative, *at = digits;
    uint64_t mantissa = 0;
    uint64_t bytes = eight_bytes(at), others = other_bytes(bytes);
    if (others == 0) {
        at = append_digits(at, mantissa);
    } else {
        // Without a branch on how many digits there are, which is hard to predict: as the last of eight, behind zeros.
        unsigned size = static_cast<unsigned>(__builtin_ctzll(others)) / 8;
        if (size == 0) return nullptr;
        mantissa = eight_digits(bytes << (64 - 8 * size));
        at += size;
    }
    size_t count = static_cast<size_t>(at - digits);
    if (*digits == '0' && count > 1) return nullptr;
    int64_t exponent = 0;
    if (*at == '.') {
        const uint8_t *fraction = ++at;
        // Nearly all float64 that are not written by hand have sixteen.
        if (uint64_t sixteen; sixteen_digits(at, sixteen)) {
            mantissa = 10000000000000000 * mantissa + sixteen;
            at += 16;
        }
        while ((others = other_bytes(bytes = eight_bytes(at))) == 0) {
            mantissa = 100000000 * mantissa + eight_digits(bytes);
            at += 8;
        }
        // The last digits, again without a branch on how many there are.
        static constexpr uint64_t powers[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
        unsigned size = static_cast<unsigned>(__builtin_ctzll(others)) / 8;
        mantissa = powers[size] * mantissa + eight_digits(bytes << (56 - 8 * size) << 8);
        at += size;
        if (at == fraction) return nullptr;
        exponent = fraction - at;
        count += static_cast<size_t>(at - fraction);
    }
    if ((*at | 0x20) == 'e') {
        at++;
        bool falls = *at == '-';
        at += falls || *at == '+';
        const uint8_t *power = at;
        uint64_t magnitude = 0;
        at = append_digits(at, magnitude);
        if (at == power || at > power + 4) return nullptr;
        int64_t size = static_cast<int64_t>(magnitude);
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
    // Mantissas of 14 to 16 digits lie on both sides of 2^53, where simdjson goes one of two ways as if by chance, which no processor can
    // predict. With three zeros behind them all go the same.
    constexpr uint64_t least = uint64_t(1) << 43, most = 10000000000000000;
    bool is_long = mantissa - least < most - least;
    mantissa *= is_long ? 1000 : 1;
    exponent -= is_long ? 3 : 0;
    if (exponent < simdjson::internal::smallest_power || exponent > simdjson::internal::largest_power) return nullptr;
    return simdjson::SIMDJSON_BUILTIN_IMPLEMENTATION::numberparsing::compute_float_64(exponent, mantissa, negative, value) ? at : nullptr;
}
