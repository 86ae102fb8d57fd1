/* The same values in the same order, in steps of another size. */
#ifndef DD_RESHAPE_S8_H
#define DD_RESHAPE_S8_H

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_reshape {
    uint16_t in_channels;
    uint16_t channels; /* of the output */
} dd_reshape;

/* A dd_kernel; `params` is a dd_reshape. `out` may lie on the input or before it. */
void dd_reshape_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                   uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
