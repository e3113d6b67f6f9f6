// zlib: raw inflate for the members of .npz files.
#pragma once
#include <zlib.h>
