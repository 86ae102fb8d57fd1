/* From accumulators to the int8 output of a convolution. */
#ifndef DD_STORE_TILE_H
#define DD_STORE_TILE_H

#include <stdint.h>

#include "dd_conv1d_s8.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Add the bias to `sums` [count][DD_TILE] of the channels from `first` on, requantise,
 * clamp, look up in the table if there is one, and store the first `steps` time steps; `out` is
 * the tile's [steps][out_channels]. */
void dd_store_tile(const dd_conv1d *layer, const int8_t *table, const int32_t *sums, uint32_t first,
                   uint32_t count, uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
