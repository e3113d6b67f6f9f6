#include "nest.hpp"
#include "number.hpp"
#include <limits>

Nest::Kind Nest::read(Tokens &source, double *numbers, size_t depth) {
    tokens = &source;
    out = numbers;
    rank = 0;
    has_nulls = is_ragged = false;
    levels.clear();
    if (!open(depth)) return Kind::fault;
    bool is_fresh = true;
    while (true) {
        char c = source.peek();
        if (c == '[') {
            if (!is_ragged && rank == levels.size()) note_raggedness(levels.size(), "a number expected, as before it; an array came");
            if (!open(depth)) return Kind::fault;
            is_fresh = true;
            continue;
        }
        if (c == ']' && is_fresh) {
            source.next++;
        } else {
            Step step = numbers_of_row();
            if (step == Step::fault) return Kind::fault;
            if (step == Step::mixed) return Kind::mixed;
            if (step == Step::array_comes) continue;
        }
        // An array has ended; with it may end the one that holds it, and so on.
        while (true) {
            close();
            if (levels.empty()) {
                count = is_ragged ? 0 : static_cast<size_t>(out - numbers);
                return is_ragged ? Kind::ragged : Kind::tensor;
            }
            levels.back().index++;
            c = source.peek();
            source.next++;
            if (c == ',') break;
            if (c != ']') return Kind::fault;
        }
        is_fresh = false;
    }
}

bool Nest::open(size_t depth) {
    if (levels.size() >= depth) return false;
    if (rank == 0) extents_of_levels[levels.size()] = unknown;
    levels.push_back(Level{0, tokens->next});
    tokens->next++;
    return true;
}

void Nest::close() {
    size_t level = levels.size() - 1, index = levels.back().index;
    if (!is_ragged) {
        size_t &extent = extents_of_levels[level];
        if (rank == 0) rank = levels.size();
        if (extent == unknown)
            extent = index;
        else if (extent != index)
            note_raggedness(
                level, std::to_string(extent) + (extent == 1 ? " entry" : " entries") + " expected, as in those before it; " +
                           std::to_string(index) + " came");
    }
    levels.pop_back();
}

/// Reads numbers until the array ends or another array begins.
Nest::Step Nest::numbers_of_row() {
    const uint8_t *text = tokens->bytes();
    const uint32_t *next = tokens->next, *const end = tokens->end;
    if (next >= end) return Step::fault;
    Level &level = levels.back();
    char first = static_cast<char>(text[*next]);
    if (!is_ragged && rank != levels.size() && (first == '-' || first == 'n' || (first >= '0' && first <= '9'))) {
        if (rank == 0)
            rank = levels.size();
        else
            note_raggedness(levels.size(), "an array expected, as before it; a number came");
    }
    size_t index = level.index;
    double *place = out;
    // In a ragged nest numbers are only checked: each overwrites the one before.
    ptrdiff_t stride = is_ragged ? 0 : 1;
    Step step;
    while (true) {
        const uint8_t *after = read_fast(text + *next, *place);
        if (after == nullptr) {
            tokens->next = next;
            level.index = index;
            out = place;
            step = read_slowly(text + *next, after);
            if (step != Step::value_read) return step;
        }
        place += stride;
        index++;
        if (++next >= end) return Step::fault;
        char c = static_cast<char>(*after);
        // Unless the number ends in a comma or a bracket there must be space before the next token.
        if (c != ',' && c != ']') {
            if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return Step::fault;
            c = static_cast<char>(text[*next]);
        }
        next++;
        if (c == ',') {
            // What stands behind the last token belongs to somebody else.
            if (next >= end) return Step::fault;
            continue;
        }
        if (c != ']') return Step::fault;
        tokens->next = next;
        level.index = index;
        out = place;
        return Step::closed;
    }
}

/// What is no usual number: a null, a long number, an array, something else.
Nest::Step Nest::read_slowly(const uint8_t *start, const uint8_t *&after) {
    std::string_view text = tokens->text;
    size_t at = static_cast<size_t>(start - tokens->bytes());
    if (at >= text.size()) return Step::fault;
    switch (text[at]) {
    case '[': return Step::array_comes;
    case '"':
    case '{':
    case 't':
    case 'f': return Step::mixed;
    case 'n':
        if (text.substr(at, 4) != "null" || !ends_word(text, at + 4)) return Step::fault;
        *out = std::numeric_limits<double>::quiet_NaN();
        has_nulls = true;
        after = start + 4;
        return Step::value_read;
    default: break;
    }
    ExactNumber number = read_exactly(text, at);
    if (number.status != ExactNumber::good || !ends_word(text, number.end)) return Step::fault;
    *out = number.value;
    after = tokens->bytes() + number.end;
    return Step::value_read;
}

void Nest::note_raggedness(size_t levels_of_pointer, std::string what) {
    is_ragged = true;
    detail = std::move(what);
    pointer.clear();
    for (size_t level = 0; level < levels_of_pointer; level++) pointer += "/" + std::to_string(levels[level].index);
}
