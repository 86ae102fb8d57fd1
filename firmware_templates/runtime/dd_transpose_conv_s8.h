/* One-dimensional transposed int8 convolution with TFLite's arithmetic. */
#ifndef DD_TRANSPOSE_CONV_S8_H
#define DD_TRANSPOSE_CONV_S8_H

#include <stdint.h>

#include "dd_conv1d_s8.h"
#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dd_kernel whose params are a dd_conv1d, with one input, which `out` may not overlap.
 *
 * All output steps that end on one input step are a row: it is one step of a convolution with a
 * block of output channels for each of them. So the fields mean
 *   out_channels  of a row
 *   filters       the output's channels
 *   kernel        input steps that a row reads, the last of which is its own
 *   stride        steps of a row
 *   pad_before    steps that the first row has too many
 * and the weights are those of dd_conv1d_general_s8. */
void dd_transpose_conv_s8(const void *params, const int8_t *table, const dd_view *in,
                          uint32_t first, uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
