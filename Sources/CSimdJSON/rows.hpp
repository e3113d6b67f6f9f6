// Reads a large rectangular nest of numbers row by row on several threads.
#pragma once
#include "nest.hpp"
#include "simdjson_face.h"

/// The rows of a nest whose arrays all have as many tokens as the first of their level, so that the place of every row is known at once.
class Rows {
  public:
    /// Takes the extents from the first array of each level. False if these do not make a nest. Linear in the tokens up to `reached`.
    bool measure(const Tokens &tokens, size_t depth);

    /// Reads all rows; false if there is one that `measure` did not foresee: then what stands in `numbers` is of no meaning.
    bool read(const ntk_json_threads &threads, double *numbers);

    /// Outermost first; the last is the length of a row.
    std::vector<size_t> extents;
    bool has_nulls = false;
    size_t count() const { return rows * extents.back(); }
    /// Behind the nest, or behind the tokens that `measure` has looked at.
    const uint32_t *reached = nullptr;

  private:
    struct Part {
        size_t begin, end;
        bool is_good = false, has_nulls = false;
    };

    std::string_view text;
    const uint32_t *first = nullptr;
    /// Of an array of each level, with its brackets.
    std::vector<size_t> token_counts;
    size_t rows = 0;

    bool read(Part &part, double *numbers) const;
    /// The first token of a row, or null where the brackets and commas before it are not those of the nest.
    const uint32_t *start(size_t row) const;
    bool all(const uint32_t *from, size_t size, char c) const;
};
