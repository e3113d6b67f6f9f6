// The document with the buffers behind the pointers of its C face.
#pragma once
#include "fault.hpp"
#include "simdjson_face.h"
#include <memory>
#include <simdjson.h>
#include <vector>

struct Document : ntk_json_document {
    /// What simdjson's first stage found; gone once it is read.
    std::unique_ptr<simdjson::internal::dom_parser_implementation> index;
    std::string_view source;
    bool is_indexed = false;

    std::vector<ntk_json_node> node_buffer;
    std::vector<size_t> extent_buffer;
    std::string text_buffer;
    Fault fault;

    Document() : ntk_json_document{} {}

    void publish() {
        error = fault.error;
        pointer = fault.pointer.data();
        pointer_length = fault.pointer.size();
        detail = fault.detail.data();
        detail_length = fault.detail.size();
        nodes = node_buffer.data();
        node_count = node_buffer.size();
        extents = extent_buffer.data();
        text = text_buffer.data();
        text_length = text_buffer.size();
    }
};
