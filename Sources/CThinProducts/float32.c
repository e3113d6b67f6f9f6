#define REAL float
#define NAME(name) ntk_##name##_f32
#include "products.inc"
