/// A small C face on libsimdjson: one JSON text becomes a flat list of nodes and one buffer of numbers.
///
/// Every rectangular nest of numbers is one node, so that a matrix of a million entries costs one node and a million doubles.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ntk_json_kind {
    NTK_JSON_NULL,
    NTK_JSON_FALSE,
    NTK_JSON_TRUE,
    /// A number that is no integer of 64 bits: `number`.
    NTK_JSON_DOUBLE,
    /// An integer: `integer`.
    NTK_JSON_INT64,
    /// An integer above INT64_MAX: `integer`, to be read as unsigned.
    NTK_JSON_UINT64,
    /// `count` bytes of UTF-8 from `start` in `text`.
    NTK_JSON_STRING,
    /// `count` values follow, each with all of its own.
    NTK_JSON_ARRAY,
    /// `count` pairs follow: a string, then a value with all of its own.
    NTK_JSON_OBJECT,
    /// Numbers (or nulls, as quiet NaN): `count` from `start` in the numbers; `rank` extents from `extents` in `extents`.
    NTK_JSON_TENSOR,
    /// A nest of numbers that is not rectangular: `text` holds from `start` the pointer to the odd one (`count` bytes), and directly
    /// after it what is wrong (`rank` bytes).
    NTK_JSON_RAGGED,
};

struct ntk_json_node {
    uint8_t kind;
    bool has_nulls;
    uint32_t rank;
    size_t start;
    size_t count;
    size_t extents;
    union {
        double number;
        int64_t integer;
    };
};

enum ntk_json_error {
    NTK_JSON_OK,
    NTK_JSON_SYNTAX,
    NTK_JSON_BAD_NUMBER,
    NTK_JSON_BAD_ENCODING,
    NTK_JSON_TOO_DEEP,
    NTK_JSON_DUPLICATE_KEY,
    NTK_JSON_TOO_MANY,
    NTK_JSON_NO_MEMORY,
};

struct ntk_json_limits {
    /// Levels of nesting; 1 is a scalar. At most 512 counts: the reader recurses.
    size_t depth;
    /// Nodes: values and keys, where an array of numbers is one.
    size_t nodes;
    /// Bytes of all strings and keys together.
    size_t text;
};

/// A text on its way to nodes, or the reason why there are none. What it points to is its own, but for the text and the numbers.
struct ntk_json_document {
    enum ntk_json_error error;
    /// JSON pointer to the fault, and what it is (UTF-8, not terminated).
    const char *pointer, *detail;
    size_t pointer_length, detail_length;

    /// Room that the numbers of all arrays may need.
    size_t number_capacity;
    size_t number_count;

    const struct ntk_json_node *nodes;
    size_t node_count;
    const size_t *extents;
    const char *text;
    size_t text_length;
};

/// Bytes that must be readable after the text.
size_t ntk_json_padding(void);

/// Finds the tokens of `length` bytes, which must stay as they are until they are read. Never null unless there is no memory at all.
struct ntk_json_document *ntk_json_index(const uint8_t *text, size_t length);

/// Threads that read the rows of a large nest of numbers beside each other.
struct ntk_json_threads {
    /// Calls `body(work, index)` for each index below `count`, in any order and possibly at the same time, and returns when all calls have
    /// ended. May leave some out: then the calling thread reads all.
    void (*for_each)(const void *context, size_t count, void (*body)(void *work, size_t index), void *work);
    const void *context;
    /// Tokens from which on a nest is divided.
    size_t least_tokens;
};

/// Reads the tokens of an indexed text: the numbers of arrays go to `numbers`, which has room for `number_capacity`, all else into the
/// document. Once for a document. The outcome is `error`.
/// - Parameter threads: Null for the calling thread alone.
void ntk_json_read(
    struct ntk_json_document *document, struct ntk_json_limits limits, const struct ntk_json_threads *threads, double *numbers);

/// What a text holds of these characters, also within strings. Commas are at least as many as its numbers, less one.
struct ntk_json_counts {
    size_t commas;
    /// Those that begin an array or an object.
    size_t brackets;
    size_t quotes;
};

struct ntk_json_counts ntk_json_count(const uint8_t *text, size_t length);

void ntk_json_free(struct ntk_json_document *document);

/// Most bytes that a number and the comma after it can take.
#define NTK_JSON_NUMBER_SIZE 26

/// Writes the shortest decimal numbers that read back as the same bits, with commas between them. `out` has room for
/// `count * NTK_JSON_NUMBER_SIZE` bytes. Returns the bytes written; stops at a number that is not finite: `written` is its index, else
/// `count`.
size_t ntk_json_write_f64(const double *values, size_t count, unsigned char *out, size_t *written);
size_t ntk_json_write_f32(const float *values, size_t count, unsigned char *out, size_t *written);

#ifdef __cplusplus
}
#endif
