#include "dd_store_tile.h"

#include <stdbool.h>
#include <stddef.h>

#include "dd_requant.h"

static void store_channel(const dd_conv1d *layer, const int32_t *sums, uint32_t channel, uint32_t steps, int8_t *out)
{
    const int32_t multiplier = layer->multiplier[channel];
    const int32_t shift = layer->shift[channel];
    for (uint32_t step = 0; step < steps; step++) {
        const int32_t sum = dd_add(sums[step], layer->bias[channel]);
        const int32_t scaled = dd_requantize(sum, multiplier, shift);
        const int32_t code = dd_clamp(dd_add(scaled, layer->out_zero_point), layer->out_min, layer->out_max);
        *out = layer->table == NULL ? (int8_t)code : layer->table[code + 128];
        out += layer->out_channels;
    }
}

/* The same for a whole tile of a layer with a table and without a clamp of its own. */
static void store_channel_fast(const dd_conv1d *layer, const int32_t *sums, uint32_t channel, int32_t offset,
                               int8_t *out)
{
    const int8_t *const table = layer->table;
    const uint32_t hop = layer->out_channels;
    const int32_t bias = layer->bias[channel];
    const int32_t multiplier = layer->multiplier[channel];
    const int32_t exponent = -layer->shift[channel];
    out[0] = table[dd_requantize_index(dd_add(sums[0], bias), multiplier, exponent, offset)];
    out += hop;
    out[0] = table[dd_requantize_index(dd_add(sums[1], bias), multiplier, exponent, offset)];
    out += hop;
    out[0] = table[dd_requantize_index(dd_add(sums[2], bias), multiplier, exponent, offset)];
    out += hop;
    out[0] = table[dd_requantize_index(dd_add(sums[3], bias), multiplier, exponent, offset)];
}

void dd_store_tile(const dd_conv1d *layer, const int32_t *sums, uint32_t first, uint32_t count, uint32_t steps,
                   int8_t *out)
{
    const int32_t offset = dd_index_offset(layer->out_zero_point);
    const bool plain = steps == DD_CONV1D_TILE && layer->table != NULL && layer->out_min == INT8_MIN &&
                       layer->out_max == INT8_MAX;
    const uint32_t end = first + count;
    for (uint32_t channel = first; channel < end; channel++) {
        if (plain && layer->shift[channel] <= -2) {
            store_channel_fast(layer, sums, channel, offset, out + channel);
        } else {
            store_channel(layer, sums, channel, steps, out + channel);
        }
        sums += DD_CONV1D_TILE;
    }
}
