#include "builder.hpp"
#include "escape.hpp"
#include "number.hpp"
#include <algorithm>
#include <charconv>

Builder::Builder(Document &document, Tokens tokens, ntk_json_limits limits, const ntk_json_threads *threads, double *numbers)
    : document(document), tokens(tokens), limits(limits), threads(threads), numbers(numbers), first_number(numbers), nest(limits.depth),
      rows_from(tokens.next), mixed(limits.depth + 1) {
    levels.reserve(limits.depth);
    // What a usual request has, so that nothing grows step by step.
    keys.reserve(32);
    document.node_buffer.reserve(64);
    document.text_buffer.reserve(256);
}

bool Builder::build() {
    char first = tokens.peek();
    // A container must be closed by the last token. Then numbers and words end before the text does, and can be read without a look at
    // where it ends.
    if (first == '[' || first == '{') {
        char last = tokens.text[*(tokens.end - 1)];
        if (last != (first == '[' ? ']' : '}')) return false;
    }
    bool good = value() && tokens.next == tokens.end;
    document.number_count = static_cast<size_t>(numbers - first_number);
    return good;
}

bool Builder::value() {
    switch (tokens.peek()) {
    case '{': return object();
    case '[': return array();
    case '"': return string();
    case 't': return word("true", NTK_JSON_TRUE);
    case 'f': return word("false", NTK_JSON_FALSE);
    case 'n': return word("null", NTK_JSON_NULL);
    default: return number();
    }
}

bool Builder::add(const ntk_json_node &node) {
    if (document.node_buffer.size() >= limits.nodes)
        return fail(
            NTK_JSON_TOO_MANY, "at most " + std::to_string(limits.nodes) + " values and keys expected beside the numbers of arrays; more came");
    document.node_buffer.push_back(node);
    return true;
}

bool Builder::enter(bool is_object) {
    if (levels.size() + 1 >= limits.depth) return false;
    levels.push_back(Level{is_object, 0, false, Key{0, 0}});
    tokens.next++;
    return true;
}

bool Builder::object() {
    ntk_json_node node{};
    node.kind = NTK_JSON_OBJECT;
    size_t place = document.node_buffer.size(), first_key = keys.size();
    if (!add(node) || !enter(true)) return false;
    if (tokens.peek() == '}')
        tokens.next++;
    else if (!members())
        return false;
    document.node_buffer[place].count = keys.size() - first_key;
    if (!keys_differ(first_key)) return false;
    keys.resize(first_key);
    levels.pop_back();
    return true;
}

bool Builder::members() {
    while (true) {
        if (tokens.peek() != '"') return false;
        size_t place = document.node_buffer.size();
        levels.back().has_key = false;
        if (!string()) return false;
        const ntk_json_node &key = document.node_buffer[place];
        levels.back().has_key = true;
        levels.back().key = Key{key.start, key.count};
        keys.push_back(levels.back().key);
        if (tokens.peek() != ':') return false;
        tokens.next++;
        if (!value()) return false;
        char c = tokens.peek();
        tokens.next++;
        if (c == '}') return true;
        if (c != ',') return false;
    }
}

bool Builder::array() {
    size_t depth = levels.size();
    if (mixed[depth] != tokens.next) {
        Rows rows;
        if (read_rows(rows)) return add_tensor(rows.extents.data(), rows.extents.size(), rows.count(), rows.has_nulls);
        const uint32_t *start = tokens.next;
        // One level is left for the scalars.
        switch (nest.read(tokens, numbers, limits.depth - 1 - depth)) {
        case Nest::Kind::tensor: return add_tensor(nest.extents(), nest.rank, nest.count, nest.has_nulls);
        case Nest::Kind::ragged: return add_ragged();
        case Nest::Kind::fault: return false;
        case Nest::Kind::mixed: break;
        }
        for (size_t level = 0; level < nest.path_length(); level++) mixed[depth + level] = nest.path(level);
        tokens.next = start;
    }
    ntk_json_node node{};
    node.kind = NTK_JSON_ARRAY;
    size_t place = document.node_buffer.size();
    if (!add(node) || !enter(false) || !elements()) return false;
    document.node_buffer[place].count = levels.back().index;
    levels.pop_back();
    return true;
}

bool Builder::elements() {
    while (true) {
        if (!value()) return false;
        levels.back().index++;
        char c = tokens.peek();
        tokens.next++;
        if (c == ']') return true;
        if (c != ',') return false;
    }
}

/// Reads an array by the threads, if it is large and all its rows are alike; else it is left to the nest, which says what is wrong with it.
bool Builder::read_rows(Rows &rows) {
    auto is_large = [&](const uint32_t *end) { return static_cast<size_t>(end - tokens.next) >= threads->least_tokens; };
    if (!threads || !is_large(tokens.end) || tokens.next < rows_from) return false;
    // One level is left for the scalars.
    bool is_nest = rows.measure(tokens, limits.depth - 1 - levels.size());
    rows_from = rows.reached;
    if (!is_nest || !is_large(rows.reached) || !rows.read(*threads, numbers)) return false;
    tokens.next = rows.reached;
    return true;
}

bool Builder::add_tensor(const size_t *extents, size_t rank, size_t count, bool has_nulls) {
    ntk_json_node node{};
    node.kind = NTK_JSON_TENSOR;
    node.has_nulls = has_nulls;
    node.rank = static_cast<uint32_t>(rank);
    node.start = static_cast<size_t>(numbers - first_number);
    node.count = count;
    node.extents = document.extent_buffer.size();
    document.extent_buffer.insert(document.extent_buffer.end(), extents, extents + rank);
    numbers += count;
    return add(node);
}

bool Builder::add_ragged() {
    ntk_json_node node{};
    node.kind = NTK_JSON_RAGGED;
    node.start = document.text_buffer.size();
    node.count = nest.pointer.size();
    node.rank = static_cast<uint32_t>(nest.detail.size());
    document.text_buffer += nest.pointer;
    document.text_buffer += nest.detail;
    return add(node);
}

/// A number by itself; integers of 64 bits are exact.
bool Builder::number() {
    if (tokens.next == tokens.end) return false;
    size_t start = *tokens.next;
    ExactNumber number = read_exactly(tokens.text, start);
    if (number.status != ExactNumber::good || !ends_word(tokens.text, number.end)) return false;
    tokens.next++;
    const char *from = tokens.text.data() + start, *to = tokens.text.data() + number.end;
    ntk_json_node node{};
    uint64_t natural;
    // A zero with a sign is no integer.
    bool may_be_integer = number.is_integer && (number.value != 0 || *from != '-');
    if (may_be_integer && std::from_chars(from, to, node.integer).ec == std::errc()) {
        node.kind = NTK_JSON_INT64;
    } else if (may_be_integer && *from != '-' && std::from_chars(from, to, natural).ec == std::errc()) {
        node.kind = NTK_JSON_UINT64;
        node.integer = static_cast<int64_t>(natural);
    } else {
        node.kind = NTK_JSON_DOUBLE;
        node.number = number.value;
    }
    return add(node);
}

bool Builder::word(std::string_view text, ntk_json_kind kind) {
    size_t start = *tokens.next;
    if (tokens.text.substr(start, text.size()) != text || !ends_word(tokens.text, start + text.size())) return false;
    tokens.next++;
    ntk_json_node node{};
    node.kind = static_cast<uint8_t>(kind);
    return add(node);
}

/// Strings are known to be closed, in UTF-8, and without control characters; their escapes are not known to be any.
bool Builder::string() {
    ntk_json_node node{};
    node.kind = NTK_JSON_STRING;
    node.start = document.text_buffer.size();
    size_t at = *tokens.next + 1;
    tokens.next++;
    while (true) {
        size_t end = at;
        while (end < tokens.text.size() && tokens.text[end] != '"' && tokens.text[end] != '\\') end++;
        document.text_buffer += tokens.text.substr(at, end - at);
        at = end;
        if (at == tokens.text.size()) return false;
        if (tokens.text[at] == '"') break;
        if (read_escape(tokens.text, at, document.text_buffer) != Escape::good) return false;
    }
    node.count = document.text_buffer.size() - node.start;
    if (document.text_buffer.size() > limits.text)
        return fail(NTK_JSON_TOO_MANY, "at most " + std::to_string(limits.text) + " bytes of strings and keys expected; more came");
    return add(node);
}

/// Whether the keys from `first` on are different bytes.
bool Builder::keys_differ(size_t first) {
    std::string_view text = document.text_buffer;
    auto less = [&](const Key &a, const Key &b) {
        if (a.count != b.count) return a.count < b.count;
        return text.substr(a.start, a.count) < text.substr(b.start, b.count);
    };
    std::sort(keys.begin() + static_cast<ptrdiff_t>(first), keys.end(), less);
    for (size_t index = first + 1; index < keys.size(); index++) {
        if (less(keys[index - 1], keys[index])) continue;
        levels.back().key = keys[index];
        return fail(NTK_JSON_DUPLICATE_KEY, "each key once expected; this one came twice");
    }
    return true;
}

bool Builder::fail(ntk_json_error error, std::string detail) {
    std::string pointer;
    for (const Level &level : levels) {
        if (!level.is_object)
            append_token(pointer, std::to_string(level.index));
        else if (level.has_key)
            append_token(pointer, std::string_view(document.text_buffer).substr(level.key.start, level.key.count));
    }
    document.fault = Fault{error, std::move(pointer), std::move(detail)};
    return false;
}
