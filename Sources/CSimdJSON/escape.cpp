#include "escape.hpp"
#include <charconv>
#include <cstdint>

namespace {

bool read_unit(std::string_view text, size_t from, uint32_t &unit) {
    if (from + 4 > text.size()) return false;
    auto result = std::from_chars(text.data() + from, text.data() + from + 4, unit, 16);
    return result.ec == std::errc() && result.ptr == text.data() + from + 4;
}

void append_utf8(std::string &content, uint32_t c) {
    auto append = [&](uint32_t byte) { content += static_cast<char>(byte); };
    if (c < 0x80) {
        append(c);
    } else if (c < 0x800) {
        append(0xC0 | (c >> 6));
        append(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        append(0xE0 | (c >> 12));
        append(0x80 | ((c >> 6) & 0x3F));
        append(0x80 | (c & 0x3F));
    } else {
        append(0xF0 | (c >> 18));
        append(0x80 | ((c >> 12) & 0x3F));
        append(0x80 | ((c >> 6) & 0x3F));
        append(0x80 | (c & 0x3F));
    }
}

} // namespace

Escape read_escape(std::string_view text, size_t &at, std::string &content) {
    char c = at + 1 < text.size() ? text[at + 1] : 0;
    size_t simple = std::string_view("\"\\/bfnrt").find(c);
    if (c != 0 && simple != std::string_view::npos) {
        content += "\"\\/\b\f\n\r\t"[simple];
        at += 2;
        return Escape::good;
    }
    uint32_t unit = 0;
    if (c != 'u' || !read_unit(text, at + 2, unit)) return Escape::malformed;
    size_t length = 6;
    if (unit >= 0xDC00 && unit <= 0xDFFF) return Escape::lone_surrogate;
    if (unit >= 0xD800 && unit < 0xDC00) {
        uint32_t low = 0;
        if (text.substr(at + 6, 2) != "\\u" || !read_unit(text, at + 8, low) || low < 0xDC00 || low > 0xDFFF) return Escape::lone_surrogate;
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        length = 12;
    }
    append_utf8(content, unit);
    at += length;
    return Escape::good;
}
