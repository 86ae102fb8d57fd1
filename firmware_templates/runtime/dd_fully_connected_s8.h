/* Int8 layers that see all of their input at once, with the arithmetic of TFLite's reference
 * kernel: rounded once, where a convolution is rounded twice. */
#ifndef DD_FULLY_CONNECTED_S8_H
#define DD_FULLY_CONNECTED_S8_H

#include <stdbool.h>
#include <stdint.h>

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_fully_connected {
    uint16_t in_channels;
    uint16_t out_channels;
    uint16_t kernel;       /* input steps that an output step reads, which no other one does */
    uint8_t per_channel;   /* 1: a scale for each output channel, 0: one for all */
    bool single;           /* the output has one step */
    int8_t out_zero_point; /* of the layer's own output, before the table */
    int8_t out_min;        /* fused activation as a clamp */
    int8_t out_max;
    const int8_t
        *weights;        /* [out_channels][kernel][in_channels] in the order of dd_dot_single.h if
                          * there is a single step, else in that of dd_dot.h; aligned to 4 bytes */
    const int32_t *bias; /* [out_channels], less in_zero_point x sum of the channel's weights */
    const int32_t *multiplier; /* [out_channels] or [1], Q0.31 mantissa: 2^30 to 2^31 - 1, or 0 */
    const int32_t *fraction;   /* the same, 32 bits behind the mantissa's */
    const int8_t *shift;       /* the same, left if positive: -31 to 30 */
} dd_fully_connected;

/* A dd_kernel whose params are a dd_fully_connected, with one input, which `out` may not overlap.
 */
void dd_fully_connected_s8(const void *params, const int8_t *table, const dd_view *in,
                           uint32_t first, uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
