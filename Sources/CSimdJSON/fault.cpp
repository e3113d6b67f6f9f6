#include "fault.hpp"
#include "escape.hpp"
#include "number.hpp"
#include <algorithm>
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
    /// A key is being read, so that the member has no place yet.
    bool in_key = false;
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
        for (const Level &level : levels)
            if (!in_key || &level != &levels.back()) append_token(pointer, level.is_object ? level.key : std::to_string(level.index));
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
            if (text.substr(at, word.size()) == word && ends_word(text, at + word.size())) {
                at += word.size();
                return true;
            }
        for (std::string_view word : {"NaN", "nan", "Infinity", "inf", "undefined"})
            if (text.substr(at, word.size()) == word) return fail(NTK_JSON_BAD_NUMBER, std::string(word) + " is not JSON: a finite number, or null, expected");
        return fail(NTK_JSON_SYNTAX, "a value expected; " + here() + " came");
    }

    bool number() {
        std::string_view word = text.substr(at + 1, 3);
        if (text[at] == '-' && (word == "Inf" || word == "inf" || word == "NaN" || word == "nan"))
            return fail(NTK_JSON_BAD_NUMBER, "a finite number expected; -" + std::string(word) + "… is not JSON");
        ExactNumber number = read_exactly(text, at);
        // A long number is not worth repeating whole; it may end in the middle of a character only where it is none.
        std::string came(text.substr(at, std::min<size_t>(number.end - at, 32)));
        if (number.status == ExactNumber::overflow)
            return fail(NTK_JSON_BAD_NUMBER, "a number within the range of float64 expected; '" + came + "' overflows");
        at = number.end;
        if (number.status == ExactNumber::malformed || !ends_word(text, at))
            return fail(NTK_JSON_BAD_NUMBER, "a number in JSON's grammar expected; '" + came + "' and then " + here() + " came");
        return true;
    }

    bool key(Level &level) {
        in_key = true;
        if (at == text.size() || text[at] != '"') return fail(NTK_JSON_SYNTAX, "a key in quotation marks expected; " + here() + " came");
        level.key.clear();
        if (!string(level.key)) return false;
        in_key = false;
        skip_space();
        if (at == text.size() || text[at] != ':') return fail(NTK_JSON_SYNTAX, "':' expected after the key; " + here() + " came");
        at++;
        return true;
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
        switch (read_escape(text, at, content)) {
        case Escape::good: return true;
        case Escape::malformed: return fail(NTK_JSON_SYNTAX, "an escape of JSON expected after the backslash at offset " + std::to_string(at));
        case Escape::lone_surrogate: return fail(NTK_JSON_BAD_ENCODING, "a surrogate pair expected at offset " + std::to_string(at));
        }
        return false;
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
