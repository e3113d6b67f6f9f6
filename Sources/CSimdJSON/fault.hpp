// Finds out why simdjson refused a text: it says that there is a fault, not where, and it refuses integers beyond 64 bits, which are JSON.
#pragma once
#include "simdjson_face.h"
#include <string>
#include <string_view>
#include <vector>

struct Fault {
    ntk_json_error error;
    std::string pointer;
    std::string detail;
};

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

/// What one strict pass over a text found; slower than simdjson, for what simdjson refuses only.
struct Findings {
    /// The first fault; NTK_JSON_OK if the text is JSON.
    Fault fault;
    /// The ends of the integers that may not fit 64 bits, in order.
    std::vector<size_t> long_integers;
};

Findings examine(std::string_view text, size_t maximum_depth);
