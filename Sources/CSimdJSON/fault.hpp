// Finds the first fault of a text that simdjson refused: simdjson says that there is one, not where.
#pragma once
#include "simdjson_face.h"
#include <string>
#include <string_view>

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

/// One strict pass over the text with the place kept; slower than simdjson, for the error path only. NTK_JSON_OK if it is JSON.
Fault examine(std::string_view text, size_t maximum_depth);
