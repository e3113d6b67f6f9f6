// Reads a nest of numbers, such as [[1, 2], [3, 4]], as one array: the parser's hot loop.
#pragma once
#include "tokens.hpp"
#include <string>
#include <vector>

class Nest {
  public:
    enum class Kind {
        /// Rectangular: `extents`, `count`, `has_nulls`.
        tensor,
        /// Of numbers, but not rectangular: `pointer`, `detail`. None of its numbers are kept.
        ragged,
        /// It holds something else than numbers; `path` are the tokens of the arrays that are open there.
        mixed,
        /// Not JSON, or too deep.
        fault,
    };

    explicit Nest(size_t maximum_depth) : extents_of_levels(maximum_depth + 1) { levels.reserve(maximum_depth + 1); }

    /// Reads the array that begins at the next token, and moves behind it if it is a tensor or ragged. At most `depth` arrays may be open.
    Kind read(Tokens &tokens, double *numbers, size_t depth);

    size_t rank = 0, count = 0;
    bool has_nulls = false;
    std::string pointer, detail;

    const size_t *extents() const { return extents_of_levels.data(); }
    size_t path_length() const { return levels.size(); }
    const uint32_t *path(size_t level) const { return levels[level].token; }

  private:
    enum class Step { value_read, closed, array_comes, mixed, fault };
    struct Level {
        /// Elements that are complete.
        size_t index;
        const uint32_t *token;
    };
    static constexpr size_t unknown = SIZE_MAX;

    Tokens *tokens = nullptr;
    double *out = nullptr;
    bool is_ragged = false;
    std::vector<Level> levels;
    /// Of each level, once its first array has ended.
    std::vector<size_t> extents_of_levels;

    bool open(size_t depth);
    void close();
    Step numbers_of_row();
    Step read_slowly(const uint8_t *start, const uint8_t *&after);
    void note_raggedness(size_t levels_of_pointer, std::string what);
};
