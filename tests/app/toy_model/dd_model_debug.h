#ifndef DD_MODEL_DEBUG_H
#define DD_MODEL_DEBUG_H

#include "dd_trace.h"

#define DD_INPUTS    1
#define DD_OUTPUTS   2
#define DD_TENSORS   4 /* segment, toy/conv (unfused only), toy/silu, head/conv */
#define DD_CONSTANTS 2

extern const dd_constant dd_constants[DD_CONSTANTS];

#endif
