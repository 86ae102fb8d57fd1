/* Softmax over the channels of each step, with TFLite's fixed-point arithmetic. */
#ifndef DD_SOFTMAX_S8_H
#define DD_SOFTMAX_S8_H

#include <stdint.h>

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_softmax {
    uint16_t channels;     /* up to 511 */
    uint16_t count;        /* of the powers: 1 to 256 */
    const int32_t *powers; /* what a code that is less than the largest one by 0, 1, ... counts for,
                            * in steps of 2^-31; beyond `count` nothing */
} dd_softmax;

/* A dd_kernel; params: dd_softmax. The codes it makes are shares in steps of 1/256, from -128 on.
 * `out` may lie on the input, or before it. */
void dd_softmax_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                   uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
