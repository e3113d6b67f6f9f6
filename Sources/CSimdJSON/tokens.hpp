// The places of a text where tokens begin, as simdjson's first stage finds them: brackets, commas, colons, opening quotation marks, and
// the first bytes of everything else.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

struct Tokens {
    std::string_view text;
    const uint32_t *next = nullptr;
    const uint32_t *end = nullptr;

    /// First byte of the next token, 0 after the last.
    char peek() const { return next < end ? text[*next] : '\0'; }
    const uint8_t *bytes() const { return reinterpret_cast<const uint8_t *>(text.data()); }
};
