#include "dd_store_tile.h"

#include <stdbool.h>
#include <stddef.h>

#include "dd_requant.h"

static void store_channel(const dd_conv1d *layer, const int32_t *sums, uint32_t channel,
                          uint32_t steps, int8_t *out)
{
    const int32_t multiplier = layer->multiplier[channel];
    const int32_t shift = layer->shift[channel];
    const int32_t zero_point = layer->out_zero_point;
    for (uint32_t step = 0; step < steps; step++) {
        const int32_t sum = dd_add(sums[step], layer->bias[channel]);
        const int32_t scaled = dd_requantize(sum, multiplier, shift);
        const int32_t code =
            dd_clamp(scaled, layer->out_min - zero_point, layer->out_max - zero_point) + zero_point;
        *out = layer->table == NULL ? (int8_t)code : layer->table[code + 128];
        out += layer->out_channels;
    }
}

/* The same for whole tiles of channels from `channel` on, until `end` or the first one whose shift
 * is none for dd_requantize_index. Returns where it stopped. The layer must have a table and no
 * clamp. */
static uint32_t store_channels_fast(const dd_conv1d *layer, const int32_t *sums, uint32_t channel,
                                    uint32_t end, int8_t *out)
{
    const int8_t *const table = layer->table;
    const uint32_t hop = layer->out_channels;
    const int32_t offset = dd_index_offset(layer->out_zero_point);
    for (; channel < end; channel++) {
        const int32_t exponent = -layer->shift[channel];
        if (exponent < 2) {
            break;
        }
        const int32_t multiplier = layer->multiplier[channel];
        const int32_t bias = layer->bias[channel];
        int8_t *at = out + channel;
        at[0] = table[dd_requantize_index(dd_add(sums[0], bias), multiplier, exponent, offset)];
        at += hop;
        at[0] = table[dd_requantize_index(dd_add(sums[1], bias), multiplier, exponent, offset)];
        at += hop;
        at[0] = table[dd_requantize_index(dd_add(sums[2], bias), multiplier, exponent, offset)];
#if DD_TILE > 3
        at += hop;
        at[0] = table[dd_requantize_index(dd_add(sums[3], bias), multiplier, exponent, offset)];
#endif
        sums += DD_TILE;
    }
    return channel;
}

void dd_store_tile(const dd_conv1d *layer, const int32_t *sums, uint32_t first, uint32_t count,
                   uint32_t steps, int8_t *out)
{
    const bool plain = steps == DD_TILE && layer->table != NULL &&
                       layer->out_min == INT8_MIN && layer->out_max == INT8_MAX;
    const uint32_t end = first + count;
    uint32_t channel = first;
    while (channel < end) {
        if (plain) {
            channel = store_channels_fast(layer, sums + (channel - first) * DD_TILE, channel,
                                          end, out);
        }
        if (channel < end) {
            store_channel(layer, sums + (channel - first) * DD_TILE, channel, steps,
                          out + channel);
            channel++;
        }
    }
}
