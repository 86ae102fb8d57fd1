/* One-dimensional int8 convolution with TFLite's arithmetic, and an optional table after it. */
#ifndef DD_CONV1D_S8_H
#define DD_CONV1D_S8_H

#include <stdbool.h>
#include <stdint.h>

#include "dd_dot.h"
#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_conv1d {
    uint16_t in_channels;
    uint16_t out_channels;
    uint16_t kernel; /* taps */
    uint16_t stride;
    uint16_t pad_before;      /* time steps of zero point before the input; those after follow */
    uint16_t dilation;        /* steps from tap to tap: 1 for dd_conv1d_s8 */
    uint16_t window_channels; /* input channels that an output channel reads: there all of them */
    uint16_t filters;         /* output channels that read the same ones: there all of them */
    int8_t in_zero_point;
    int8_t out_zero_point; /* of the convolution's own output, before the table */
    int8_t out_min;        /* fused activation as a clamp */
    int8_t out_max;
    bool doubles; /* twice any sum, its bias included, fits int32, and shifts are -22 to -2 */
    const int8_t *weights; /* [out_channels][kernel][in_channels], in the order of dd_dot.h;
                            * aligned to 4 bytes */
    const int32_t *bias;   /* [out_channels], less in_zero_point x sum of the channel's weights */
    const int32_t *multiplier; /* [out_channels], Q0.31 mantissa: 2^30 to 2^31 - 1, or 0 */
    const int8_t *shift;       /* [out_channels], left if positive: -31 to 30 */
} dd_conv1d;

/* Convolve: a dd_kernel whose params are a dd_conv1d, with one input.
 *
 * `out` may overlap it as long as no step's output is written over input that the same or a later
 * tile of DD_TILE steps reads. The accumulators cannot overflow: the generator proves it from the
 * weights. */
void dd_conv1d_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                  uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
