#define REAL double
#define NAME(name) ntk_##name##_f64
#include "products.inc"
