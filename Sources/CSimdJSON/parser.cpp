#include "fault.hpp"
#include "simdjson_face.h"
#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <simdjson.h>
#include <unordered_set>
#include <vector>

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

/// The document with the buffers behind its pointers.
struct Document : ntk_json_document {
    std::vector<ntk_json_node> node_buffer;
    std::vector<double> number_buffer;
    std::vector<size_t> extent_buffer;
    std::string text_buffer;
    Fault fault{NTK_JSON_OK, {}, {}};

    void publish() {
        error = fault.error;
        pointer = fault.pointer.data();
        pointer_length = fault.pointer.size();
        detail = fault.detail.data();
        detail_length = fault.detail.size();
        nodes = node_buffer.data();
        node_count = node_buffer.size();
        numbers = number_buffer.data();
        number_count = number_buffer.size();
        extents = extent_buffer.data();
        text = text_buffer.data();
        text_length = text_buffer.size();
    }
};

/// Where a nest of numbers stops being rectangular.
struct Raggedness {
    std::string pointer;
    std::string detail;
};

/// Turns simdjson's tape into nodes. Recursion is as deep as the text, which simdjson has already held under the limit.
class Builder {
  public:
    explicit Builder(Document &document) : document(document) {}

    /// False if a fault was found.
    bool add(element value) {
        ntk_json_node node{};
        switch (value.type()) {
        case element_type::NULL_VALUE: node.kind = NTK_JSON_NULL; break;
        case element_type::BOOL: node.kind = value.get_bool().value_unsafe() ? NTK_JSON_TRUE : NTK_JSON_FALSE; break;
        case element_type::DOUBLE:
            node.kind = NTK_JSON_DOUBLE;
            node.number = value.get_double().value_unsafe();
            break;
        case element_type::INT64:
            node.kind = NTK_JSON_INT64;
            node.integer = value.get_int64().value_unsafe();
            break;
        case element_type::UINT64:
            node.kind = NTK_JSON_UINT64;
            node.integer = static_cast<int64_t>(value.get_uint64().value_unsafe());
            break;
        case element_type::STRING: node = string(value.get_string().value_unsafe()); break;
        case element_type::ARRAY: return add_array(value.get_array().value_unsafe());
        case element_type::OBJECT: return add_object(value.get_object().value_unsafe());
        }
        document.node_buffer.push_back(node);
        return true;
    }

  private:
    Document &document;
    std::string path;

    ntk_json_node string(std::string_view content) {
        ntk_json_node node{};
        node.kind = NTK_JSON_STRING;
        node.start = document.text_buffer.size();
        node.count = content.size();
        document.text_buffer += content;
        return node;
    }

    bool add_object(simdjson::dom::object object) {
        size_t place = document.node_buffer.size();
        ntk_json_node node{};
        node.kind = NTK_JSON_OBJECT;
        document.node_buffer.push_back(node);
        std::unordered_set<std::string_view> keys;
        size_t outer = path.size();
        for (auto field : object) {
            append_token(path, field.key);
            if (!keys.insert(field.key).second) {
                document.fault = Fault{NTK_JSON_DUPLICATE_KEY, path, "each key once expected; this one came twice"};
                return false;
            }
            document.node_buffer.push_back(string(field.key));
            if (!add(field.value)) return false;
            path.resize(outer);
        }
        document.node_buffer[place].count = keys.size();
        return true;
    }

    enum class Nest { rectangular, ragged, other };

    bool add_array(simdjson::dom::array array) {
        size_t first_number = document.number_buffer.size(), first_extent = document.extent_buffer.size();
        std::vector<size_t> extents;
        bool has_nulls = false, complete = false;
        Raggedness ragged;
        Nest nest = add_numbers(array, 0, extents, complete, has_nulls, ragged);
        if (nest == Nest::rectangular) {
            ntk_json_node node{};
            node.kind = NTK_JSON_TENSOR;
            node.has_nulls = has_nulls;
            node.rank = static_cast<uint32_t>(extents.size());
            node.start = first_number;
            node.count = document.number_buffer.size() - first_number;
            node.extents = first_extent;
            document.extent_buffer.insert(document.extent_buffer.end(), extents.begin(), extents.end());
            document.node_buffer.push_back(node);
            return true;
        }
        document.number_buffer.resize(first_number);
        if (nest == Nest::ragged) {
            ntk_json_node node = string(ragged.pointer);
            node.kind = NTK_JSON_RAGGED;
            node.rank = static_cast<uint32_t>(ragged.detail.size());
            document.text_buffer += ragged.detail;
            document.node_buffer.push_back(node);
            return true;
        }
        size_t place = document.node_buffer.size();
        ntk_json_node node{};
        node.kind = NTK_JSON_ARRAY;
        document.node_buffer.push_back(node);
        size_t index = 0, outer = path.size();
        for (element item : array) {
            append_token(path, std::to_string(index));
            if (!add(item)) return false;
            path.resize(outer);
            index++;
        }
        document.node_buffer[place].count = index;
        return true;
    }

    /// Appends the numbers of a nest. `extents` grows while the first branch is walked, until `complete`, and binds what follows.
    Nest add_numbers(
        simdjson::dom::array array, size_t depth, std::vector<size_t> &extents, bool &complete, bool &has_nulls, Raggedness &ragged) {
        bool leads = !complete;
        if (leads) extents.push_back(0);
        size_t index = 0;
        // The first odd place is kept, but a later value that is no number makes the whole thing no tensor at all.
        Nest result = Nest::rectangular;
        for (element item : array) {
            bool is_array = item.is<simdjson::dom::array>();
            bool at_leaf = complete && depth + 1 == extents.size();
            Nest nest = Nest::rectangular;
            if (is_array && (!complete || !at_leaf)) {
                nest = add_numbers(item.get_array().value_unsafe(), depth + 1, extents, complete, has_nulls, ragged);
            } else if (is_array) {
                nest = is_numeric(item) ? Nest::ragged : Nest::other;
                if (nest == Nest::ragged) ragged = Raggedness{"", "a number expected, as before it; an array came"};
            } else if (!add_number(item, has_nulls)) {
                nest = Nest::other;
            } else if (complete && !at_leaf) {
                nest = Nest::ragged;
                ragged = Raggedness{"", "an array expected, as before it; a number came"};
            } else {
                complete = true;
            }
            if (nest == Nest::other) return nest;
            if (nest == Nest::ragged) {
                ragged.pointer = "/" + std::to_string(index) + ragged.pointer;
                return rest_is_numeric(array, index) ? Nest::ragged : Nest::other;
            }
            index++;
        }
        if (leads) {
            extents[depth] = index;
            complete = true;
        } else if (index != extents[depth]) {
            ragged = Raggedness{"", std::to_string(extents[depth]) + (extents[depth] == 1 ? " entry" : " entries") +
                                        " expected, as in those before it; " + std::to_string(index) + " came"};
            result = Nest::ragged;
        }
        return result;
    }

    bool add_number(element item, bool &has_nulls) {
        double number;
        switch (item.type()) {
        case element_type::DOUBLE: number = item.get_double().value_unsafe(); break;
        case element_type::INT64: number = static_cast<double>(item.get_int64().value_unsafe()); break;
        case element_type::UINT64: number = static_cast<double>(item.get_uint64().value_unsafe()); break;
        case element_type::NULL_VALUE:
            number = std::numeric_limits<double>::quiet_NaN();
            has_nulls = true;
            break;
        default: return false;
        }
        document.number_buffer.push_back(number);
        return true;
    }

    static bool is_numeric(element item) {
        if (item.is<simdjson::dom::array>()) return rest_is_numeric(item.get_array().value_unsafe(), 0);
        return !item.is<simdjson::dom::object>() && !item.is_string() && !item.is_bool();
    }

    static bool rest_is_numeric(simdjson::dom::array array, size_t from) {
        size_t index = 0;
        for (element item : array)
            if (index++ >= from && !is_numeric(item)) return false;
        return true;
    }
};

/// simdjson's error, after adding the nodes if there is none.
simdjson::error_code build(Document &document, const uint8_t *text, size_t length, size_t maximum_depth) {
    simdjson::dom::parser parser;
    auto error = parser.allocate(std::max<size_t>(length, 64), maximum_depth);
    element root;
    if (!error) error = parser.parse(text, length, false).get(root);
    if (error == simdjson::MEMALLOC || error == simdjson::CAPACITY) throw std::bad_alloc();
    if (!error) Builder(document).add(root);
    return error;
}

void parse(Document &document, const uint8_t *bytes, size_t length, size_t maximum_depth) {
    if (!build(document, bytes, length, maximum_depth)) return;
    std::string_view text(reinterpret_cast<const char *>(bytes), length);
    Findings findings = examine(text, maximum_depth);
    document.fault = findings.fault;
    if (findings.fault.error != NTK_JSON_OK) return;
    // Integers beyond 64 bits: with an exponent they are numbers to simdjson too.
    std::string patched;
    size_t from = 0;
    for (size_t end : findings.long_integers) {
        patched += text.substr(from, end - from);
        patched += "e0";
        from = end;
    }
    patched += text.substr(from);
    size_t patched_length = patched.size();
    patched.append(simdjson::SIMDJSON_PADDING, ' ');
    if (build(document, reinterpret_cast<const uint8_t *>(patched.data()), patched_length, maximum_depth))
        document.fault = Fault{NTK_JSON_SYNTAX, {}, "JSON expected; the text is not"};
}

} // namespace

size_t ntk_json_padding(void) { return simdjson::SIMDJSON_PADDING; }

ntk_json_document *ntk_json_parse(const uint8_t *text, size_t length, size_t maximum_depth) {
    try {
        auto document = std::make_unique<Document>();
        parse(*document, text, length, maximum_depth);
        document->publish();
        return document.release();
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

void ntk_json_free(ntk_json_document *document) { delete static_cast<Document *>(document); }
