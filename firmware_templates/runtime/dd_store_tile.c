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

/* How one channel's sums become codes: what dd_requantize_index takes. */
typedef struct scaling {
    const int8_t *table;
    int32_t bias;
    int32_t multiplier;
    int32_t exponent;
    int32_t offset;
} scaling;

static inline int8_t code_of(const scaling *by, int32_t sum)
{
    const int32_t whole = dd_add(sum, by->bias);
    return by->table[dd_requantize_index(whole, by->multiplier, by->exponent, by->offset)];
}

/* The same for `bias` doubled, where that fits: one multiplication does the rounding as well. */
static inline int8_t code_of_doubled(const scaling *by, int32_t sum)
{
    const int32_t high = dd_multiply_high_doubled(sum, by->bias, by->multiplier);
    return by->table[dd_index_of_high(high, by->exponent, by->offset)];
}

static void store_codes(const scaling *by, const int32_t *sums, uint32_t hop, int8_t *out)
{
    out[0] = code_of(by, sums[0]);
    out += hop;
    out[0] = code_of(by, sums[1]);
    out += hop;
    out[0] = code_of(by, sums[2]);
#if DD_TILE > 3
    out += hop;
    out[0] = code_of(by, sums[3]);
#endif
}

static void store_codes_doubled(const scaling *by, const int32_t *sums, uint32_t hop, int8_t *out)
{
    out[0] = code_of_doubled(by, sums[0]);
    out += hop;
    out[0] = code_of_doubled(by, sums[1]);
    out += hop;
    out[0] = code_of_doubled(by, sums[2]);
#if DD_TILE > 3
    out += hop;
    out[0] = code_of_doubled(by, sums[3]);
#endif
}

/* The same for whole tiles of channels from `channel` on, until `end` or the first one whose shift
 * is none for dd_requantize_index. Returns where it stopped. The layer must have a table and no
 * clamp. */
static uint32_t store_channels_fast(const dd_conv1d *layer, const int32_t *sums, uint32_t channel,
                                    uint32_t end, int8_t *out)
{
    const uint32_t hop = layer->out_channels;
    scaling by = {.table = layer->table, .offset = dd_index_offset(layer->out_zero_point)};
    for (; channel < end && layer->shift[channel] <= -2; channel++) {
        by.exponent = -layer->shift[channel];
        by.multiplier = layer->multiplier[channel];
        by.bias = layer->bias[channel];
        store_codes(&by, sums, hop, out + channel);
        sums += DD_TILE;
    }
    return channel;
}

static uint32_t store_channels_doubled(const dd_conv1d *layer, const int32_t *sums,
                                       uint32_t channel, uint32_t end, int8_t *out)
{
    const uint32_t hop = layer->out_channels;
    scaling by = {.table = layer->table, .offset = dd_index_offset(layer->out_zero_point)};
    for (; channel < end && layer->shift[channel] <= -2; channel++) {
        by.exponent = -layer->shift[channel];
        by.multiplier = layer->multiplier[channel];
        by.bias = dd_shift_left(layer->bias[channel], 1);
        store_codes_doubled(&by, sums, hop, out + channel);
        sums += DD_TILE;
    }
    return channel;
}

void dd_store_tile(const dd_conv1d *layer, const int32_t *sums, uint32_t first, uint32_t count,
                   uint32_t steps, int8_t *out)
{
    const bool plain = steps == DD_TILE && layer->table != NULL && layer->out_min == INT8_MIN &&
                       layer->out_max == INT8_MAX;
    const uint32_t end = first + count;
    uint32_t channel = first;
    while (channel < end) {
        const uint32_t before = channel;
        if (plain && layer->doubles) {
            channel = store_channels_doubled(layer, sums, channel, end, out);
        } else if (plain) {
            channel = store_channels_fast(layer, sums, channel, end, out);
        }
        sums += (channel - before) * DD_TILE;
        if (channel < end) {
            store_channel(layer, sums, channel, steps, out + channel);
            sums += DD_TILE;
            channel++;
        }
    }
}
