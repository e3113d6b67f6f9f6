#include "fault.hpp"
#include <charconv>
#include <vector>

namespace {

struct Level {
    bool is_object;
    size_t index = 0;
    std::string key;
};

class Scanner {
  public:
    Scanner(std::string_view text, size_t maximum_depth) : text(text), maximum_depth(maximum_depth) {}

    Fault scan() {
        skip_space();
        if (at == text.size()) return fault(NTK_JSON_SYNTAX, "a JSON value expected; the text is empty");
        if (text.substr(0, 3) == "\xEF\xBB\xBF") return fault(NTK_JSON_SYNTAX, "the text begins with a byte order mark, which JSON forbids");
        while (true) {
            if (!value()) return found;
            // A value has ended, or a container was opened and is empty or awaits its first member.
            while (true) {
                skip_space();
                if (levels.empty()) {
                    if (at < text.size()) return fault(NTK_JSON_SYNTAX, "nothing expected after the value; " + here() + " came");
                    return Fault{NTK_JSON_OK, {}, {}};
                }
                Level &level = levels.back();
                char close = level.is_object ? '}' : ']';
                if (at < text.size() && text[at] == close) {
                    at++;
                    levels.pop_back();
                    first = false;
                    continue;
                }
                if (!first) {
                    if (at == text.size() || text[at] != ',')
                        return fault(NTK_JSON_SYNTAX, std::string("',' or '") + close + "' expected; " + here() + " came");
                    at++;
                    level.index++;
                    skip_space();
                }
                first = false;
                if (level.is_object && !key(level)) return found;
                break;
            }
        }
    }

  private:
    std::string_view text;
    size_t maximum_depth;
    size_t at = 0;
    std::vector<Level> levels;
    /// The container on top has just been opened.
    bool first = false;
    Fault found{};

    void skip_space() {
        while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) at++;
    }

    std::string here() {
        if (at >= text.size()) return "the end";
        unsigned char c = static_cast<unsigned char>(text[at]);
        if (c < 0x20 || c >= 0x7F) return "byte " + std::to_string(c) + " at offset " + std::to_string(at);
        return std::string("'") + static_cast<char>(c) + "' at offset " + std::to_string(at);
    }

    Fault fault(ntk_json_error error, std::string detail) {
        std::string pointer;
        for (const Level &level : levels) append_token(pointer, level.is_object ? level.key : std::to_string(level.index));
        return Fault{error, pointer, std::move(detail)};
    }

    bool fail(ntk_json_error error, std::string detail) {
        found = fault(error, std::move(detail));
        return false;
    }

    bool value() {
        skip_space();
        first = false;
        if (at == text.size()) return fail(NTK_JSON_SYNTAX, "a value expected; the end came");
        char c = text[at];
        if (c == '{' || c == '[') {
            if (levels.size() + 1 >= maximum_depth)
                return fail(NTK_JSON_TOO_DEEP, "nested at most " + std::to_string(maximum_depth) + " deep expected; this is deeper");
            at++;
            levels.push_back(Level{c == '{', 0, {}});
            first = true;
            return true;
        }
        if (c == '"') {
            std::string ignored;
            return string(ignored);
        }
        if (c == '-' || (c >= '0' && c <= '9')) return number();
        for (std::string_view word : {"true", "false", "null"})
            if (text.substr(at, word.size()) == word && ends_word(at + word.size())) {
                at += word.size();
                return true;
            }
        for (std::string_view word : {"NaN", "nan", "Infinity", "inf", "undefined"})
            if (text.substr(at, word.size()) == word) return fail(NTK_JSON_BAD_NUMBER, std::string(word) + " is not JSON: a finite number, or null, expected");
        return fail(NTK_JSON_SYNTAX, "a value expected; " + here() + " came");
    }

    bool ends_word(size_t end) { return end >= text.size() || std::string_view(" \t\n\r,]}:").find(text[end]) != std::string_view::npos; }

    bool number() {
        size_t start = at;
        if (text[at] == '-') at++;
        auto digits = [&] {
            size_t begin = at;
            while (at < text.size() && text[at] >= '0' && text[at] <= '9') at++;
            return at - begin;
        };
        if (text.substr(at, 3) == "Inf" || text.substr(at, 3) == "inf" || text.substr(at, 3) == "NaN")
            return fail(NTK_JSON_BAD_NUMBER, "a finite number expected; -" + std::string(text.substr(at, 3)) + "… is not JSON");
        size_t whole = at;
        size_t count = digits();
        bool good = count > 0 && (count == 1 || text[whole] != '0');
        if (good && at < text.size() && text[at] == '.') {
            at++;
            good = digits() > 0;
        }
        if (good && at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
            at++;
            if (at < text.size() && (text[at] == '+' || text[at] == '-')) at++;
            good = digits() > 0;
        }
        if (!good || !ends_word(at))
            return fail(NTK_JSON_BAD_NUMBER, "a number in JSON's grammar expected; '" + std::string(text.substr(start, std::min<size_t>(at + 1 - start, 32))) + "' came");
        double value = 0;
        auto result = std::from_chars(text.data() + start, text.data() + at, value);
        // from_chars leaves `value` alone when the number is out of range, whether it is huge or tiny; only the huge one is a fault.
        if (result.ec == std::errc::result_out_of_range && !is_tiny(text.substr(start, at - start)))
            return fail(NTK_JSON_BAD_NUMBER, "a number within the range of float64 expected; '" + std::string(text.substr(start, std::min<size_t>(at - start, 32))) + "' overflows");
        return true;
    }

    static bool is_tiny(std::string_view number) {
        size_t exponent = number.find_first_of("eE");
        return exponent != std::string_view::npos && number.substr(exponent + 1, 1) == "-";
    }

    bool key(Level &level) {
        if (at == text.size() || text[at] != '"') return fail_at_container("a key in quotation marks expected; " + here() + " came");
        std::string name;
        level.key.clear();
        if (!string(name)) return false;
        level.key = name;
        skip_space();
        if (at == text.size() || text[at] != ':') return fail(NTK_JSON_SYNTAX, "':' expected after the key; " + here() + " came");
        at++;
        return true;
    }

    bool fail_at_container(std::string detail) {
        levels.pop_back();
        return fail(NTK_JSON_SYNTAX, std::move(detail));
    }

    bool string(std::string &content) {
        at++;
        while (at < text.size()) {
            unsigned char c = static_cast<unsigned char>(text[at]);
            if (c == '"') {
                at++;
                return true;
            }
            if (c < 0x20) return fail(NTK_JSON_SYNTAX, "control characters in a string must be escaped; " + here() + " came");
            if (c == '\\') {
                if (!escape(content)) return false;
                continue;
            }
            if (c < 0x80) {
                content += static_cast<char>(c);
                at++;
                continue;
            }
            size_t length = sequence_length(at);
            if (length == 0) return fail(NTK_JSON_BAD_ENCODING, "UTF-8 expected; " + here() + " came");
            content += text.substr(at, length);
            at += length;
        }
        return fail(NTK_JSON_SYNTAX, "the string is not closed");
    }

    bool escape(std::string &content) {
        char c = at + 1 < text.size() ? text[at + 1] : 0;
        size_t simple = std::string_view("\"\\/bfnrt").find(c);
        if (c != 0 && simple != std::string_view::npos) {
            content += "\"\\/\b\f\n\r\t"[simple];
            at += 2;
            return true;
        }
        uint32_t unit = 0;
        if (c != 'u' || !hex(at + 2, unit)) return fail(NTK_JSON_SYNTAX, "an escape of JSON expected after the backslash at offset " + std::to_string(at));
        size_t length = 6;
        if (unit >= 0xD800 && unit < 0xDC00) {
            uint32_t low = 0;
            if (text.substr(at + 6, 2) != "\\u" || !hex(at + 8, low) || low < 0xDC00 || low > 0xDFFF)
                return fail(NTK_JSON_BAD_ENCODING, "a surrogate pair expected at offset " + std::to_string(at));
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            length = 12;
        } else if (unit >= 0xDC00 && unit <= 0xDFFF) {
            return fail(NTK_JSON_BAD_ENCODING, "a surrogate pair expected at offset " + std::to_string(at));
        }
        append_utf8(content, unit);
        at += length;
        return true;
    }

    bool hex(size_t from, uint32_t &unit) {
        if (from + 4 > text.size()) return false;
        auto result = std::from_chars(text.data() + from, text.data() + from + 4, unit, 16);
        return result.ec == std::errc() && result.ptr == text.data() + from + 4 && text[from] != '-';
    }

    static void append_utf8(std::string &content, uint32_t c) {
        if (c < 0x80) {
            content += static_cast<char>(c);
        } else if (c < 0x800) {
            content += static_cast<char>(0xC0 | (c >> 6));
            content += static_cast<char>(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            content += static_cast<char>(0xE0 | (c >> 12));
            content += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
            content += static_cast<char>(0x80 | (c & 0x3F));
        } else {
            content += static_cast<char>(0xF0 | (c >> 18));
            content += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
            content += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
            content += static_cast<char>(0x80 | (c & 0x3F));
        }
    }

    /// Bytes of the well-formed UTF-8 sequence at `from`, 0 if there is none (Unicode 15, table 3-7).
    size_t sequence_length(size_t from) {
        auto byte = [&](size_t k) { return from + k < text.size() ? static_cast<unsigned char>(text[from + k]) : 0u; };
        auto tail = [&](size_t k) { return (byte(k) & 0xC0u) == 0x80u; };
        unsigned c = byte(0), next = byte(1);
        if (c >= 0xC2 && c <= 0xDF) return tail(1) ? 2 : 0;
        if (c >= 0xE0 && c <= 0xEF) {
            if (!tail(1) || !tail(2) || (c == 0xE0 && next < 0xA0) || (c == 0xED && next > 0x9F)) return 0;
            return 3;
        }
        if (c >= 0xF0 && c <= 0xF4) {
            if (!tail(1) || !tail(2) || !tail(3) || (c == 0xF0 && next < 0x90) || (c == 0xF4 && next > 0x8F)) return 0;
            return 4;
        }
        return 0;
    }
};

} // namespace

Fault examine(std::string_view text, size_t maximum_depth) { return Scanner(text, maximum_depth).scan(); }
