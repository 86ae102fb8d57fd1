/* From accumulators to the int8 output of a convolution. */
#ifndef DD_STORE_TILE_H
#define DD_STORE_TILE_H

#include <stdint.h>

#include "dd_conv1d_s8.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What of a tile is stored. */
typedef struct dd_tile_part {
    uint32_t first; /* channel */
    uint32_t count; /* of channels */
    uint32_t steps; /* 1 to DD_TILE */
    int8_t *out;    /* of the tile: [steps][out_channels] */
} dd_tile_part;

/* Add the bias to `sums` [part.count][DD_TILE] of some channels, requantise, clamp, look up in the
 * table if there is one, and store the first time steps. */
void dd_store_tile(const dd_conv1d *layer, const int8_t *table, const int32_t *sums,
                   const dd_tile_part *part);

/* The same, faster, for whole tiles of a layer that `doubles`, with a table and without a clamp. */
void dd_store_doubled(const dd_conv1d *layer, const int8_t *table, const int32_t *sums,
                      const dd_tile_part *part);

#ifdef __cplusplus
}
#endif

#endif
