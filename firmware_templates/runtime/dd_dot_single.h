/* Dot products of one window with rows of weights, where a tile of dd_dot.h would be wasted: what a
 * fully connected layer is. */
#ifndef DD_DOT_SINGLE_H
#define DD_DOT_SINGLE_H

#include <stdint.h>

#include "dd_dot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The most channels at a time. */
#define DD_SINGLE_BLOCK (DD_BLOCK * DD_TILE)

/* From a channel of `values` values to the next, half the way from pair to pair for
 * DD_KERNELS_DSP.
 *
 * The weights are rows, for DD_KERNELS_HELIUM rounded up with zeros to whole sixteens. For
 * DD_KERNELS_DSP they are pairs as in dd_dot.h, the values rounded up to whole fours, and 128 is
 * added to each weight of the first channel of a pair. */
#if DD_KERNELS == DD_KERNELS_HELIUM
#define DD_SINGLE_BYTES(values) (((values) + 15u) / 16u * 16u)
#elif DD_KERNELS == DD_KERNELS_DSP
#define DD_SINGLE_BYTES(values) (((values) + 3u) / 4u * 4u)
#else
#define DD_SINGLE_BYTES(values) (values)
#endif

/* Multiply `count` values by the rows of `channels` channels; `sums` becomes the dot products, and
 * has room for an odd last channel's partner. `weights` are those of the first one, which is even.
 */
void dd_dot_single(const int8_t *in, uint32_t count, const int8_t *weights, uint32_t channels,
                   int32_t *sums);

#ifdef __cplusplus
}
#endif

#endif
