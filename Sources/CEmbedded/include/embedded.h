/// Files that the binary carries.
#pragma once
#include <stddef.h>

const unsigned char *ntk_openapi_yaml(void);
extern const size_t ntk_openapi_yaml_size;
