// Finds the first fault of a text that is not JSON, and its place: simdjson says only that there is one.
#pragma once
#include "simdjson_face.h"
#include <string>
#include <string_view>

struct Fault {
    ntk_json_error error = NTK_JSON_OK;
    std::string pointer;
    std::string detail;
};

/// One strict pass over the text, slower than simdjson, for what simdjson refuses. NTK_JSON_OK if the text is JSON; duplicate keys are
/// not looked for.
Fault examine(std::string_view text, size_t maximum_depth);
