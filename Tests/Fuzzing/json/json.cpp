// Reads any bytes as JSON, and compares the outcome with the tree of simdjson's own parser.
#include "simdjson_face.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <simdjson.h>
#include <string>
#include <thread>
#include <vector>

using simdjson::dom::element;
using simdjson::dom::element_type;

namespace {

void require(bool holds, const char *what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

bool is_numeric(element value) {
    switch (value.type()) {
    case element_type::ARRAY:
        for (element item : value.get_array().value_unsafe())
            if (!is_numeric(item)) return false;
        return true;
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
    case element_type::NULL_VALUE: return true;
    default: return false;
    }
}

class Comparison {
  public:
    Comparison(const ntk_json_document &document, const std::vector<double> &numbers) : document(document), numbers(numbers) {}

    void compare(element value) {
        require(next < document.node_count, "there is a node for each value");
        const ntk_json_node &node = document.nodes[next++];
        switch (node.kind) {
        case NTK_JSON_NULL: return require(value.is_null(), "null");
        case NTK_JSON_TRUE: return require(value.is_bool() && value.get_bool().value_unsafe(), "true");
        case NTK_JSON_FALSE: return require(value.is_bool() && !value.get_bool().value_unsafe(), "false");
        case NTK_JSON_DOUBLE: return require(value.is_number() && value.get_double().value_unsafe() == node.number, "double");
        case NTK_JSON_INT64: return require(value.is_int64() && value.get_int64().value_unsafe() == node.integer, "int64");
        case NTK_JSON_UINT64: return require(value.is_uint64() && value.get_uint64().value_unsafe() == uint64_t(node.integer), "uint64");
        case NTK_JSON_STRING: return require(value.is_string() && value.get_string().value_unsafe() == text(node), "string");
        case NTK_JSON_ARRAY: return compare_array(node, value);
        case NTK_JSON_OBJECT: return compare_object(node, value);
        case NTK_JSON_TENSOR: {
            size_t at = node.start;
            bool nulls = false;
            require(node.start + node.count <= document.number_count && node.rank > 0, "a tensor lies within the numbers");
            compare_tensor(node, 0, value, at, nulls);
            require(at == node.start + node.count && nulls == node.has_nulls, "a tensor has its numbers");
            return;
        }
        case NTK_JSON_RAGGED:
            require(value.is_array() && is_numeric(value), "a ragged nest holds numbers");
            require(text(node).substr(0, 1) == "/" || node.count == 0, "a pointer");
            return require(node.start + node.count + node.rank <= document.text_length, "a detail");
        default: require(false, "a kind of node");
        }
    }

    size_t next = 0;

  private:
    const ntk_json_document &document;
    const std::vector<double> &numbers;

    std::string_view text(const ntk_json_node &node) {
        require(node.start + node.count <= document.text_length, "a string lies within the text");
        return {document.text + node.start, node.count};
    }

    void compare_array(const ntk_json_node &node, element value) {
        require(value.is_array() && !is_numeric(value), "an array holds something else than numbers");
        size_t count = 0;
        for (element item : value.get_array().value_unsafe()) {
            compare(item);
            count++;
        }
        require(count == node.count, "an array's count");
    }

    void compare_object(const ntk_json_node &node, element value) {
        require(value.is_object(), "object");
        size_t count = 0;
        for (auto field : value.get_object().value_unsafe()) {
            require(next < document.node_count && document.nodes[next].kind == NTK_JSON_STRING, "a key is a string");
            require(text(document.nodes[next++]) == field.key, "key");
            compare(field.value);
            count++;
        }
        require(count == node.count, "an object's count");
    }

    void compare_tensor(const ntk_json_node &node, size_t level, element value, size_t &at, bool &nulls) {
        if (level == node.rank) {
            require(at < document.number_count, "a number");
            double number = numbers[at++];
            if (value.is_null()) {
                nulls = true;
                return require(number != number, "a null is a NaN");
            }
            double expected = value.get_double().value_unsafe();
            if (value.type() == element_type::DOUBLE) return require(std::memcmp(&expected, &number, sizeof number) == 0, "the bits of a number");
            return require(value.is_number() && expected == number, "an integer of a tensor");
        }
        require(value.is_array(), "an array for each level");
        size_t count = 0;
        for (element item : value.get_array().value_unsafe()) {
            compare_tensor(node, level + 1, item, at, nulls);
            count++;
        }
        require(count == document.extents[node.extents + level], "an extent");
    }
};

bool has_long_integer(std::string_view text) {
    size_t run = 0;
    for (char c : text) {
        run = c >= '0' && c <= '9' ? run + 1 : 0;
        if (run > 18) return true;
    }
    return false;
}

/// Reads the text again, every nest that can be by the rows: the outcome must be the same.
void compare_by_threads(
    const uint8_t *bytes, size_t size, ntk_json_limits limits, const ntk_json_document &one, const std::vector<double> &numbers,
    ntk_json_threads threads) {
    ntk_json_document *other = ntk_json_index(bytes, size);
    require(other != nullptr, "memory");
    std::vector<double> others(other->number_capacity);
    ntk_json_read(other, limits, &threads, others.data());
    require(other->error == one.error && other->node_count == one.node_count && other->number_count == one.number_count, "rows: the same outcome");
    require(std::string_view(one.pointer, one.pointer_length) == std::string_view(other->pointer, other->pointer_length), "rows: the same place");
    require(std::string_view(one.detail, one.detail_length) == std::string_view(other->detail, other->detail_length), "rows: the same fault");
    if (one.error == NTK_JSON_OK) {
        require(std::memcmp(numbers.data(), others.data(), one.number_count * sizeof(double)) == 0, "rows: the same numbers");
        for (size_t index = 0; index < one.node_count; index++) {
            const ntk_json_node &a = one.nodes[index], &b = other->nodes[index];
            require(a.kind == b.kind && a.rank == b.rank && a.count == b.count && a.has_nulls == b.has_nulls, "rows: the same nodes");
            if (a.kind != NTK_JSON_TENSOR) continue;
            require(std::memcmp(one.extents + a.extents, other->extents + b.extents, a.rank * sizeof(size_t)) == 0, "rows: the same extents");
        }
    }
    ntk_json_free(other);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    // What follows the text must not matter: let it look like more of it.
    size_t padding = ntk_json_padding();
    std::unique_ptr<uint8_t[]> bytes(new uint8_t[size + padding]);
    if (size > 0) std::memcpy(bytes.get(), data, size);
    for (size_t index = 0; index < padding; index++) bytes[size + index] = static_cast<uint8_t>("0123]9}\",1"[(size + index / 3) % 10]);

    ntk_json_limits limits{64, 1 << 16, 1 << 16};
    ntk_json_document *document = ntk_json_index(bytes.get(), size);
    require(document != nullptr, "memory");
    std::vector<double> numbers(document->number_capacity);
    ntk_json_read(document, limits, nullptr, numbers.data());
    require(document->number_count <= numbers.size(), "the numbers fit");
    // The last rows first; beside each other; and with rows left out, as by threads that are cancelled.
    auto in_turn = [](const void *, size_t count, void (*body)(void *, size_t), void *work) {
        while (count > 0) body(work, --count);
    };
    auto beside = [](const void *, size_t count, void (*body)(void *, size_t), void *work) {
        std::thread other([=] {
            for (size_t index = 0; index < count; index += 2) body(work, index);
        });
        for (size_t index = 1; index < count; index += 2) body(work, index);
        other.join();
    };
    auto in_part = [](const void *, size_t count, void (*body)(void *, size_t), void *work) {
        for (size_t index = 1; index < count; index++) body(work, index);
    };
    for (auto for_each : {+in_turn, +beside, +in_part}) compare_by_threads(bytes.get(), size, limits, *document, numbers, {for_each, nullptr, 1});

    simdjson::dom::parser parser;
    require(parser.allocate(size + 64, 1024) == simdjson::SUCCESS, "memory");
    std::string copy(reinterpret_cast<const char *>(data), size);
    element root;
    bool is_json = parser.parse(copy).get(root) == simdjson::SUCCESS;

    if (document->error == NTK_JSON_OK) {
        if (is_json) {
            Comparison comparison(*document, numbers);
            comparison.compare(root);
            require(comparison.next == document->node_count, "there is a value for each node");
        } else {
            require(has_long_integer(copy), "what simdjson refuses is refused, but for integers beyond 64 bits");
        }
    } else {
        std::string_view pointer(document->pointer, document->pointer_length), detail(document->detail, document->detail_length);
        require(simdjson::validate_utf8(pointer) && simdjson::validate_utf8(detail), "messages are UTF-8");
        require(pointer.empty() || pointer[0] == '/', "a pointer");
        require(!detail.empty() && detail != "JSON expected; the text is not", "every fault is explained");
        bool is_ours = document->error == NTK_JSON_DUPLICATE_KEY || document->error == NTK_JSON_TOO_DEEP || document->error == NTK_JSON_TOO_MANY;
        require(is_ours || !is_json, "what simdjson accepts is accepted");
    }
    ntk_json_free(document);
    return 0;
}
