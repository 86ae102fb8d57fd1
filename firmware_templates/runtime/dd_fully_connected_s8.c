#include "dd_fully_connected_s8.h"

#include <stddef.h>

#include "dd_dot.h"
#include "dd_dot_single.h"
#include "dd_requant.h"

/* Turn `count` sums, `hop` apart, of the channels from `first` on into codes. */
static void store(const dd_fully_connected *layer, const int8_t *table, const int32_t *sums,
                  uint32_t hop, uint32_t first, uint32_t count, int8_t *out)
{
    const int32_t zero_point = layer->out_zero_point;
    uint32_t scale = first * layer->per_channel;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t sum = dd_add(*sums, layer->bias[first + i]);
        const int32_t scaled = dd_requantize_once(
            sum, layer->multiplier[scale], (uint32_t)layer->fraction[scale], layer->shift[scale]);
        const int32_t code =
            dd_clamp(scaled, layer->out_min - zero_point, layer->out_max - zero_point) + zero_point;
        out[first + i] = table == NULL ? (int8_t)code : table[code + 128];
        sums += hop;
        scale += layer->per_channel;
    }
}

static void connect_single(const dd_fully_connected *layer, const int8_t *table, const int8_t *in,
                           int8_t *out)
{
    int32_t sums[DD_SINGLE_BLOCK];
    const uint32_t size = (uint32_t)layer->kernel * layer->in_channels;
    for (uint32_t channel = 0; channel < layer->out_channels; channel += DD_SINGLE_BLOCK) {
        const uint32_t count = dd_at_most(layer->out_channels - channel, DD_SINGLE_BLOCK);
        dd_dot_single(in, size, layer->weights + channel * DD_SINGLE_BYTES(size), count, sums);
        store(layer, table, sums, 1, channel, count, out);
    }
}

/* Compute a whole tile, or with a `hop` of 0 one step, over and over again. */
static void connect_tile(const dd_fully_connected *layer, const int8_t *table, const int8_t *in,
                         uint32_t hop, int8_t *out)
{
    uint32_t windows[DD_WINDOW_WORDS(DD_PART)];
    int32_t sums[DD_BLOCK * DD_TILE];
    const uint32_t size = (uint32_t)layer->kernel * layer->in_channels;
    const uint32_t row_bytes = DD_ROW_BYTES(size);
    for (uint32_t channel = 0; channel < layer->out_channels; channel += DD_BLOCK) {
        const uint32_t count = dd_at_most(layer->out_channels - channel, DD_BLOCK);
        dd_rows rows = {layer->weights + channel * row_bytes, row_bytes, count, 0};
        for (uint32_t from = 0; from < size; from += DD_PART) {
            const uint32_t values = dd_at_most(size - from, DD_PART);
            dd_dot_pack(in + from, hop, values, windows);
            rows.from = from;
            dd_dot_rows(windows, values, &rows, from != 0, sums);
        }
        for (uint32_t step = 0; step < (hop == 0 ? 1u : DD_TILE); step++) {
            store(layer, table, sums + step, DD_TILE, channel, count,
                  out + step * layer->out_channels);
        }
    }
}

void dd_fully_connected_s8(const void *params, const int8_t *table, const dd_view *in,
                           uint32_t first, uint32_t steps, int8_t *out)
{
    const dd_fully_connected *const layer = params;
    const uint32_t size = (uint32_t)layer->kernel * layer->in_channels;
    const uint32_t skipped = (uint32_t)in->begin * layer->in_channels;
    const int8_t *at = in->values + (first * size - skipped);
    while (steps != 0) {
        const uint32_t now = steps < DD_TILE ? 1u : DD_TILE;
        if (layer->single) {
            connect_single(layer, table, at, out);
        } else {
            connect_tile(layer, table, at, now == 1 ? 0 : size, out);
        }
        at += now * size;
        out += now * layer->out_channels;
        steps -= now;
    }
}
