/// Files that the binary carries.
#pragma once
#include <stddef.h>

const unsigned char *ntk_openapi_yaml(void);
extern const size_t ntk_openapi_yaml_size;

/// The file VERSION: the number and a newline.
const char *ntk_version(void);

/// A file of the page at `/` or of the reference at `/docs`.
typedef struct {
    const char *name;
    const char *media_type;
    const unsigned char *bytes;
    size_t size;
} ntk_page_file;

const ntk_page_file *ntk_page_files(void);
extern const size_t ntk_page_file_count;
