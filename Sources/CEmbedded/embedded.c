#include "embedded.h"

static const unsigned char openapi_yaml[] = {
#embed "../../openapi.yaml"
};

const unsigned char *ntk_openapi_yaml(void) { return openapi_yaml; }
const size_t ntk_openapi_yaml_size = sizeof openapi_yaml;

static const char version[] = {
#embed "../../VERSION" suffix(, 0)
};

const char *ntk_version(void) { return version; }
