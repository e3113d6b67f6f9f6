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

using simdjson::ondemand::json_type;

/// The document with the buffers behind its pointers.
struct Document : ntk_json_document {
    std::vector<ntk_json_node> node_buffer;
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
        extents = extent_buffer.data();
        text = text_buffer.data();
        text_length = text_buffer.size();
    }
};

/// Walks a text once with simdjson's On-Demand parser and writes nodes. It recurses as deep as the text, down to the limit.
///
/// Every function is false where simdjson found a fault or a limit was met; `examine` then says which and where.
class Builder {
  public:
    /// `numbers` has room for as many numbers as any text of this length can hold.
    Builder(Document &document, double *numbers, size_t maximum_depth) : document(document), numbers(numbers), maximum_depth(maximum_depth) {}

    /// Adds one value: an element of a container, or the whole text.
    template <typename Value> bool add(Value &&value, size_t depth) {
        json_type type;
        if (depth > maximum_depth || value.type().get(type)) return false;
        ntk_json_node node{};
        switch (type) {
        case json_type::null:
            if (!is_null(value)) return false;
            node.kind = NTK_JSON_NULL;
            break;
        case json_type::boolean: {
            bool truth;
            if (value.get_bool().get(truth)) return false;
            node.kind = truth ? NTK_JSON_TRUE : NTK_JSON_FALSE;
            break;
        }
        case json_type::number:
            if (!number(value, node)) return false;
            break;
        case json_type::string: {
            std::string_view content;
            if (value.get_string().get(content)) return false;
            node = string(content);
            break;
        }
        case json_type::array: {
            simdjson::ondemand::array array;
            return !value.get_array().get(array) && add_array(array, depth);
        }
        case json_type::object: {
            simdjson::ondemand::object object;
            return !value.get_object().get(object) && add_object(object, depth);
        }
        default: return false;
        }
        document.node_buffer.push_back(node);
        return true;
    }

  private:
    Document &document;
    double *numbers;
    size_t maximum_depth;
    std::string path;

    template <typename Value> static bool is_null(Value &value) {
        bool null;
        return !simdjson::simdjson_result<bool>(value.is_null()).get(null) && null;
    }

    /// An integer of 64 bits stays exact; anything else, longer integers too, is the nearest double.
    template <typename Value> static bool number(Value &value, ntk_json_node &node) {
        int64_t integer;
        uint64_t natural;
        if (!value.get_int64().get(integer)) {
            node.kind = NTK_JSON_INT64;
            node.integer = integer;
        } else if (!value.get_uint64().get(natural)) {
            node.kind = NTK_JSON_UINT64;
            node.integer = static_cast<int64_t>(natural);
        } else {
            node.kind = NTK_JSON_DOUBLE;
            if (value.get_double().get(node.number)) return false;
        }
        return true;
    }

    ntk_json_node string(std::string_view content) {
        ntk_json_node node{};
        node.kind = NTK_JSON_STRING;
        node.start = document.text_buffer.size();
        node.count = content.size();
        document.text_buffer += content;
        return node;
    }

    bool add_object(simdjson::ondemand::object object, size_t depth) {
        size_t place = document.node_buffer.size();
        ntk_json_node node{};
        node.kind = NTK_JSON_OBJECT;
        document.node_buffer.push_back(node);
        std::unordered_set<std::string> keys;
        size_t outer = path.size();
        for (auto item : object) {
            simdjson::ondemand::field field;
            std::string_view key;
            if (std::move(item).get(field) || field.unescaped_key().get(key)) return false;
            append_token(path, key);
            if (!keys.emplace(key).second) {
                document.fault = Fault{NTK_JSON_DUPLICATE_KEY, path, "each key once expected; this one came twice"};
                return false;
            }
            document.node_buffer.push_back(string(key));
            if (!add(field.value(), depth + 1)) return false;
            path.resize(outer);
        }
        document.node_buffer[place].count = keys.size();
        return true;
    }

    enum class Nest { rectangular, ragged, other, fault };

    bool add_array(simdjson::ondemand::array array, size_t depth) {
        size_t first_number = document.number_count;
        Tensor tensor;
        switch (add_numbers(array, 0, depth, tensor)) {
        case Nest::rectangular: return add_tensor(tensor, first_number);
        case Nest::fault: return false;
        case Nest::ragged:
        case Nest::other: break;
        }
        document.number_count = first_number;
        bool numeric = true;
        if (array.reset().error() || !examine_numbers(array, depth, numeric)) return false;
        if (numeric) return add_ragged(tensor);
        return !array.reset().error() && add_elements(array, depth);
    }

    bool add_elements(simdjson::ondemand::array array, size_t depth) {
        size_t place = document.node_buffer.size();
        ntk_json_node node{};
        node.kind = NTK_JSON_ARRAY;
        document.node_buffer.push_back(node);
        size_t index = 0, outer = path.size();
        for (auto item : array) {
            simdjson::ondemand::value value;
            if (std::move(item).get(value)) return false;
            append_token(path, std::to_string(index));
            if (!add(value, depth + 1)) return false;
            path.resize(outer);
            index++;
        }
        document.node_buffer[place].count = index;
        return true;
    }

    /// What has been learned of a nest of numbers.
    struct Tensor {
        /// Extents from the outside; complete when the first number or the end of the first innermost array has come.
        std::vector<size_t> extents;
        bool is_complete = false;
        bool has_nulls = false;
        /// Where it stops being rectangular, from the inside out, and how.
        std::string odd_place;
        std::string oddity;
    };

    bool add_tensor(const Tensor &tensor, size_t first_number) {
        ntk_json_node node{};
        node.kind = NTK_JSON_TENSOR;
        node.has_nulls = tensor.has_nulls;
        node.rank = static_cast<uint32_t>(tensor.extents.size());
        node.start = first_number;
        node.count = document.number_count - first_number;
        node.extents = document.extent_buffer.size();
        document.extent_buffer.insert(document.extent_buffer.end(), tensor.extents.begin(), tensor.extents.end());
        document.node_buffer.push_back(node);
        return true;
    }

    bool add_ragged(const Tensor &tensor) {
        ntk_json_node node = string(tensor.odd_place);
        node.kind = NTK_JSON_RAGGED;
        node.rank = static_cast<uint32_t>(tensor.oddity.size());
        document.text_buffer += tensor.oddity;
        document.node_buffer.push_back(node);
        return true;
    }

    /// Appends the numbers of a nest; its first branch sets the extents that bind the others.
    Nest add_numbers(simdjson::ondemand::array array, size_t level, size_t depth, Tensor &tensor) {
        if (depth >= maximum_depth) return Nest::fault;
        bool leads = !tensor.is_complete;
        if (leads) tensor.extents.push_back(0);
        bool at_leaf = tensor.is_complete && level + 1 == tensor.extents.size();
        size_t index = 0;
        for (auto item : array) {
            simdjson::ondemand::value value;
            json_type type;
            if (std::move(item).get(value) || value.type().get(type)) return Nest::fault;
            Nest nest = Nest::rectangular;
            if (type == json_type::number) {
                if (value.get_double().get(numbers[document.number_count])) return Nest::fault;
                document.number_count++;
            } else if (type == json_type::null) {
                if (!is_null(value)) return Nest::fault;
                numbers[document.number_count++] = std::numeric_limits<double>::quiet_NaN();
                tensor.has_nulls = true;
            } else if (type != json_type::array) {
                return Nest::other;
            } else if (at_leaf) {
                tensor.oddity = "a number expected, as before it; an array came";
                nest = Nest::ragged;
            } else {
                simdjson::ondemand::array inner;
                if (value.get_array().get(inner)) return Nest::fault;
                nest = add_numbers(inner, level + 1, depth + 1, tensor);
            }
            if (type != json_type::array && !at_leaf) {
                if (tensor.is_complete) {
                    tensor.oddity = "an array expected, as before it; a number came";
                    nest = Nest::ragged;
                }
                tensor.is_complete = at_leaf = true;
            }
            if (nest != Nest::rectangular) {
                if (nest == Nest::ragged) tensor.odd_place = "/" + std::to_string(index) + tensor.odd_place;
                return nest;
            }
            index++;
        }
        if (leads) {
            tensor.extents[level] = index;
            tensor.is_complete = true;
        } else if (index != tensor.extents[level]) {
            tensor.oddity = std::to_string(tensor.extents[level]) + (tensor.extents[level] == 1 ? " entry" : " entries") +
                            " expected, as in those before it; " + std::to_string(index) + " came";
            return Nest::ragged;
        }
        return Nest::rectangular;
    }

    /// Whether a nest holds nothing but numbers, nulls and arrays.
    bool examine_numbers(simdjson::ondemand::array array, size_t depth, bool &numeric) {
        if (depth >= maximum_depth) return false;
        for (auto item : array) {
            simdjson::ondemand::value value;
            json_type type;
            if (std::move(item).get(value) || value.type().get(type)) return false;
            if (type == json_type::array) {
                simdjson::ondemand::array inner;
                if (value.get_array().get(inner) || !examine_numbers(inner, depth + 1, numeric)) return false;
            } else if (type == json_type::number || type == json_type::null) {
                double ignored;
                if (type == json_type::number ? bool(value.get_double().get(ignored)) : !is_null(value)) return false;
            } else {
                numeric = false;
            }
            if (!numeric) return true;
        }
        return true;
    }
};

/// False if the text was refused.
bool build(Document &document, const uint8_t *text, size_t length, size_t maximum_depth, double *numbers) {
    simdjson::ondemand::parser parser;
    simdjson::ondemand::document root;
    auto error = parser.iterate(text, length, length + simdjson::SIMDJSON_PADDING).get(root);
    if (error == simdjson::MEMALLOC || error == simdjson::CAPACITY) throw std::bad_alloc();
    const char *rest;
    return !error && Builder(document, numbers, maximum_depth).add(root, 1) && root.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
}

void parse(Document &document, const uint8_t *text, size_t length, size_t maximum_depth, double *numbers) {
    if (build(document, text, length, maximum_depth, numbers) || document.fault.error != NTK_JSON_OK) return;
    document.fault = examine(std::string_view(reinterpret_cast<const char *>(text), length), maximum_depth);
    // Two parsers do not agree: the text is refused all the same.
    if (document.fault.error == NTK_JSON_OK) document.fault = Fault{NTK_JSON_SYNTAX, {}, "JSON expected; the text is not"};
}

} // namespace

size_t ntk_json_padding(void) { return simdjson::SIMDJSON_PADDING; }

ntk_json_document *ntk_json_parse(const uint8_t *text, size_t length, size_t maximum_depth, double *numbers) {
    try {
        auto document = std::make_unique<Document>();
        parse(*document, text, length, maximum_depth, numbers);
        document->publish();
        return document.release();
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

void ntk_json_free(ntk_json_document *document) { delete static_cast<Document *>(document); }
