// libdeflate: whole members of .npz files inflated, and checksums by the processor's carry-less products, at ten times zlib's rate.
#pragma once
#include <libdeflate.h>
