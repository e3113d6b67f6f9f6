#include "builder.hpp"
#include <algorithm>
#include <new>

namespace {

/// Longest JSON pointer that is worth telling.
constexpr size_t longest_pointer = 4096;

/// Texts up to this size are indexed in a buffer that the thread keeps: most are small, and to allocate it costs as much as to index them.
constexpr size_t kept_capacity = 64 * 1024;
thread_local std::unique_ptr<simdjson::internal::dom_parser_implementation> kept;

void index_tokens(Document &document) {
    std::string_view source = document.source;
    bool is_small = source.size() <= kept_capacity;
    if (is_small && kept) {
        document.index = std::move(kept);
    } else {
        size_t capacity = is_small ? kept_capacity : source.size();
        auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, document.index);
        if (error) throw std::bad_alloc();
    }
    const uint8_t *text = reinterpret_cast<const uint8_t *>(source.data());
    if (!source.empty()) document.is_indexed = !document.index->stage1(text, source.size(), simdjson::stage1_mode::regular);
    // Each number of an array is followed by a comma or a bracket.
    document.number_capacity = 1 + (document.is_indexed ? document.index->n_structural_indexes / 2 : 0);
}

void read(Document &document, ntk_json_limits limits, const ntk_json_threads *threads, double *numbers) {
    limits.depth = std::clamp<size_t>(limits.depth, 1, 512);
    if (document.is_indexed) {
        const uint32_t *first = document.index->structural_indexes.get();
        Tokens tokens{document.source, first, first + document.index->n_structural_indexes};
        if (Builder(document, tokens, limits, threads, numbers).build()) return;
    }
    document.number_count = 0;
    if (document.fault.error != NTK_JSON_OK) return;
    document.fault = examine(document.source, limits.depth);
    if (document.fault.error == NTK_JSON_OK) document.fault = Fault{NTK_JSON_SYNTAX, {}, "JSON expected; the text is not"};
}

/// A pointer that holds a key of megabytes helps nobody.
void shorten(std::string &pointer) {
    if (pointer.size() <= longest_pointer) return;
    size_t end = longest_pointer;
    while (end > 0 && (static_cast<unsigned char>(pointer[end]) & 0xC0) == 0x80) end--;
    pointer.resize(end);
    pointer += "…";
}

} // namespace

size_t ntk_json_padding(void) { return simdjson::SIMDJSON_PADDING; }

ntk_json_document *ntk_json_index(const uint8_t *text, size_t length) {
    Document *document = new (std::nothrow) Document();
    if (document == nullptr) return nullptr;
    document->source = std::string_view(reinterpret_cast<const char *>(text), length);
    try {
        index_tokens(*document);
    } catch (const std::bad_alloc &) {
        document->error = document->fault.error = NTK_JSON_NO_MEMORY;
    }
    return document;
}

void ntk_json_read(ntk_json_document *opaque, ntk_json_limits limits, const ntk_json_threads *threads, double *numbers) {
    Document *document = static_cast<Document *>(opaque);
    if (document->error == NTK_JSON_OK) {
        try {
            read(*document, limits, threads, numbers);
            shorten(document->fault.pointer);
        } catch (const std::bad_alloc &) {
            document->number_count = 0;
            document->fault.error = NTK_JSON_NO_MEMORY;
        }
    }
    if (document->source.size() <= kept_capacity) kept = std::move(document->index);
    document->index.reset();
    document->publish();
}

void ntk_json_free(ntk_json_document *document) { delete static_cast<Document *>(document); }
