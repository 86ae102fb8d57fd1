/* One-dimensional int8 convolution of each channel by itself, with TFLite's arithmetic. */
#ifndef DD_DEPTHWISE_S8_H
#define DD_DEPTHWISE_S8_H

#include <stdint.h>

#include "dd_conv1d_s8.h"
#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dd_kernel whose params are a dd_conv1d, with one input. `out` may overlap it as for
 * dd_conv1d_s8. Each input channel has `filters` output channels, one behind the other, and the
 * weights are [kernel][out_channels]. */
void dd_depthwise_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                     uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
