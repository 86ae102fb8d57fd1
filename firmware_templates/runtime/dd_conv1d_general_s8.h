/* One-dimensional int8 convolution with dilation and in groups, for which dd_conv1d_s8 has no time.
 */
#ifndef DD_CONV1D_GENERAL_S8_H
#define DD_CONV1D_GENERAL_S8_H

#include <stdint.h>

#include "dd_conv1d_s8.h"
#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dd_kernel whose params are a dd_conv1d, with one input. `out` may overlap it as for
 * dd_conv1d_s8.
 *
 * The output channels come in blocks of `filters`. Each block's weights are in the order of
 * dd_dot.h by themselves, one block behind the other. Where a window has fewer channels than the
 * input, each block reads the channels behind those of the one before. */
void dd_conv1d_general_s8(const void *params, const int8_t *table, const dd_view *in,
                          uint32_t first, uint32_t steps, int8_t *out);

/* Where a tile is and what of it is wanted. */
typedef struct dd_conv1d_tile {
    int32_t begin;     /* the input step at which the first one's window begins */
    uint32_t steps;    /* 1 to DD_TILE */
    uint32_t channels; /* the first ones of the output: whole blocks */
} dd_conv1d_tile;

/* Compute one tile; `out` is its first step. */
void dd_conv1d_blocks(const dd_conv1d *layer, const int8_t *table, const dd_view *in,
                      const dd_conv1d_tile *tile, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
