/* Some channels of some steps, with a constant value around them: slices, splits, padding, and
 * resizing to the nearest neighbour. */
#ifndef DD_COPY_S8_H
#define DD_COPY_S8_H

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Output step `o` is input step (o x stride - before) / up, rounded down; output channel `c` is
 * input channel skip + c x every. What is not there is `value`. */
typedef struct dd_copy {
    uint16_t in_channels;
    uint16_t channels; /* of the output */
    int32_t skip;
    uint16_t every;
    uint16_t stride;
    uint16_t up;
    int32_t before;
    int8_t value;
} dd_copy;

/* A dd_kernel; `params` is a dd_copy. `out` may not overlap the input. */
void dd_copy_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
