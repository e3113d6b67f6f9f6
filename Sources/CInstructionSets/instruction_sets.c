#include "instruction_sets.h"
