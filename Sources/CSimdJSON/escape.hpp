// Strings of JSON: their escapes (RFC 8259 §7), and keys as tokens of a JSON pointer.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

/// Appends "/" and the reference token of a key (RFC 6901: ~ is ~0, / is ~1).
inline void append_token(std::string &pointer, std::string_view key) {
    pointer += '/';
    for (char c : key) {
        if (c == '~')
            pointer += "~0";
        else if (c == '/')
            pointer += "~1";
        else
            pointer += c;
    }
}

enum class Escape { good, malformed, lone_surrogate };

/// Appends what the escape at `at` (a backslash) stands for, and moves `at` behind it.
Escape read_escape(std::string_view text, size_t &at, std::string &content);
