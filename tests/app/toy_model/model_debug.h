#ifndef MODEL_DEBUG_H
#define MODEL_DEBUG_H

#include "dd_trace.h"

#define MODEL_INPUTS    1
#define MODEL_OUTPUTS   2
#define MODEL_TENSORS   4 /* segment, toy/conv (unfused only), toy/silu, head/conv */
#define MODEL_CONSTANTS 2

extern const dd_constant model_constants[MODEL_CONSTANTS];

#endif
