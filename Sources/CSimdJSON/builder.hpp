// Turns tokens into nodes in one pass. Recursion is as deep as the text, and no deeper than the limit.
#pragma once
#include "document.hpp"
#include "nest.hpp"
#include "rows.hpp"
#include "tokens.hpp"

class Builder {
  public:
    Builder(Document &document, Tokens tokens, ntk_json_limits limits, const ntk_json_threads *threads, double *numbers);

    /// False if there is a fault: the document's own where it has one, else one that `examine` will find.
    bool build();

  private:
    /// Bytes of the document's text.
    struct Key {
        size_t start, count;
    };
    struct Level {
        bool is_object;
        size_t index;
        /// Of the member that is being read, once it is known.
        bool has_key;
        Key key;
    };

    Document &document;
    Tokens tokens;
    ntk_json_limits limits;
    const ntk_json_threads *threads;
    /// Where the next array's numbers go.
    double *numbers;
    double *const first_number;
    std::vector<Level> levels;
    /// The keys of all objects that are open.
    std::vector<Key> keys;
    Nest nest;
    /// Before this token no rows are looked for: it was done, in vain.
    const uint32_t *rows_from;
    /// By level, the token of an array that is known to hold something else than numbers, so that no array is tried twice.
    std::vector<const uint32_t *> mixed;

    bool value();
    bool object();
    bool array();
    bool read_rows(Rows &rows);
    bool members();
    bool elements();
    bool number();
    bool word(std::string_view text, ntk_json_kind kind);
    bool string();
    bool enter(bool is_object);
    bool add(const ntk_json_node &node);
    bool add_tensor(const size_t *extents, size_t rank, size_t count, bool has_nulls);
    bool add_ragged();
    bool keys_differ(size_t first);
    bool fail(ntk_json_error error, std::string detail);
};
