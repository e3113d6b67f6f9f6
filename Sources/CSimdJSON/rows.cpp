#include "rows.hpp"
#include <algorithm>
#include <new>

bool Rows::measure(const Tokens &tokens, size_t depth) {
    text = tokens.text;
    first = tokens.next;
    size_t available = static_cast<size_t>(tokens.end - first), levels = 0;
    while (levels < available && text[first[levels]] == '[') levels++;
    reached = first + levels;
    if (levels < 2 || levels > depth) return false;
    extents.assign(levels, 0);
    token_counts.assign(levels, 0);
    // From the rows outwards. An element of a row is one token.
    size_t element = 1;
    for (size_t level = levels; level-- > 0;) {
        // Of the comma or the bracket behind each element.
        size_t place = level + 1 + element;
        extents[level] = 1;
        while (place < available && text[first[place]] == ',') {
            place += element + 1;
            extents[level]++;
        }
        reached = std::max(reached, first + std::min(place + 1, available));
        if (place >= available || text[first[place]] != ']') return false;
        element = token_counts[level] = place + 1 - level;
    }
    rows = 1;
    for (size_t level = 0; level + 1 < levels; level++) rows *= extents[level];
    return true;
}

const uint32_t *Rows::start(size_t row) const {
    size_t levels = extents.size(), offset = levels - 1, rest = row, opened = 0;
    bool is_first = true;
    for (size_t level = levels - 1; level-- > 0;) {
        size_t index = rest % extents[level];
        rest /= extents[level];
        offset += index * (token_counts[level + 1] + 1);
        is_first = is_first && index == 0;
        if (is_first) opened++;
    }
    const uint32_t *token = first + offset;
    // The brackets of the first row have been seen. Before any other as many arrays end as begin.
    const uint32_t *comma = token - opened - 1;
    bool is_next = row == 0 || (all(comma - opened, opened, ']') && text[*comma] == ',' && all(comma + 1, opened + 1, '['));
    return is_next ? token : nullptr;
}

bool Rows::all(const uint32_t *from, size_t size, char c) const {
    return std::all_of(from, from + size, [&](uint32_t at) { return text[at] == c; });
}

bool Rows::read(Part &part, double *numbers) const {
    Nest nest(1);
    size_t length = extents.back();
    for (size_t row = part.begin; row < part.end; row++) {
        const uint32_t *token = start(row);
        if (token == nullptr) return false;
        // What has as many tokens as a row has no more numbers than one, so that none goes into another's place.
        Tokens tokens{text, token, token + token_counts.back()};
        if (nest.read(tokens, numbers + row * length, 1) != Nest::Kind::tensor || nest.count != length || tokens.next != tokens.end) return false;
        part.has_nulls |= nest.has_nulls;
    }
    return true;
}

bool Rows::read(const ntk_json_threads &threads, double *numbers) {
    // The arrays that end with the last row.
    if (!all(reached - extents.size() + 1, extents.size() - 1, ']')) return false;
    constexpr size_t most_parts = 64;
    size_t parts_count = std::min(rows, most_parts);
    std::vector<Part> parts;
    for (size_t index = 0; index < parts_count; index++) parts.push_back(Part{rows * index / parts_count, rows * (index + 1) / parts_count});
    struct Work {
        const Rows &rows;
        std::vector<Part> &parts;
        double *numbers;
    } work{*this, parts, numbers};
    threads.for_each(
        threads.context, parts_count,
        [](void *context, size_t index) {
            Work &work = *static_cast<Work *>(context);
            Part &part = work.parts[index];
            try {
                part.is_good = work.rows.read(part, work.numbers);
            } catch (const std::bad_alloc &) {
                // Read again as a whole, which says so.
            }
        },
        &work);
    for (const Part &part : parts) {
        if (!part.is_good) return false;
        has_nulls |= part.has_nulls;
    }
    return true;
}
