#include "simdjson_face.h"
#include <algorithm>

namespace {

/// As many bytes at once as two vectors of the least processor hold.
constexpr size_t lanes = 32;
/// Each lane counts in a byte, which must not overflow.
constexpr size_t most_rounds = 255;

struct Lanes {
    uint8_t counts[lanes] = {};
    size_t sum() const {
        size_t sum = 0;
        for (uint8_t count : counts) sum += count;
        return sum;
    }
};

bool is_bracket(uint8_t octet) { return (octet | 0x20) == '{'; }

} // namespace

ntk_json_counts ntk_json_count(const uint8_t *text, size_t length) {
    ntk_json_counts total{};
    while (length >= lanes) {
        Lanes commas, brackets, quotes;
        size_t rounds = std::min(length / lanes, most_rounds);
        for (size_t round = 0; round < rounds; round++, text += lanes)
            for (size_t lane = 0; lane < lanes; lane++) {
                commas.counts[lane] = static_cast<uint8_t>(commas.counts[lane] + (text[lane] == ','));
                brackets.counts[lane] = static_cast<uint8_t>(brackets.counts[lane] + is_bracket(text[lane]));
                quotes.counts[lane] = static_cast<uint8_t>(quotes.counts[lane] + (text[lane] == '"'));
            }
        length -= rounds * lanes;
        total.commas += commas.sum();
        total.brackets += brackets.sum();
        total.quotes += quotes.sum();
    }
    for (; length > 0; text++, length--) {
        total.commas += *text == ',';
        total.brackets += is_bracket(*text);
        total.quotes += *text == '"';
    }
    return total;
}
