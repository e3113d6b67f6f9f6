// SHA-256 of OpenSSL as a plain value that is fed piece by piece; the newer interface allocates.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
