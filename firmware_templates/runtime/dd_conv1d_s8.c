#include "dd_conv1d_s8.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "dd_inline.h"
#include "dd_requant.h"
#include "dd_store_tile.h"

static_assert(DD_BLOCK % 4u == 0 && DD_PART % 16u == 0, "dd_dot_rows takes fours and whole groups");

/* The windows of one tile in a layer's input. */
typedef struct tile {
    const dd_conv1d *layer;
    const dd_view *in;
    int32_t first; /* step of the view at which the first window begins */
    bool inside;   /* all of them lie within the view */
} tile;

/* Copy values [begin, begin + count) of the view, and the zero point where there are none. */
static void copy_padded(const tile *of, int32_t begin, uint32_t count, int8_t *out)
{
    const int32_t inputs = (of->in->end - of->in->begin) * of->layer->in_channels;
    const int32_t stop = begin + (int32_t)count;
    const int32_t from = begin > 0 ? begin : 0;
    const int32_t end = stop < inputs ? stop : inputs;
    memset(out, of->layer->in_zero_point, count);
    if (from < end) {
        memcpy(out + (from - begin), of->in->values + from, (size_t)(end - from));
    }
}

/* Pack windows that partly lie outside the view. */
DD_NEVER_INLINE static void pack_border(const tile *of, uint32_t from, uint32_t count,
                                        uint32_t *windows)
{
    const int32_t hop = of->layer->stride * of->layer->in_channels;
    int32_t begin = of->first * of->layer->in_channels + (int32_t)from;
    int8_t values[DD_TILE * DD_PART];
    for (uint32_t step = 0; step < DD_TILE; step++) {
        copy_padded(of, begin, count, values + step * DD_PART);
        begin += hop;
    }
    dd_dot_pack(values, DD_PART, count, windows);
}

/* Pack values [from, from + count) of the tile's windows. */
static void pack(const tile *of, uint32_t from, uint32_t count, uint32_t *windows)
{
    if (!of->inside) {
        pack_border(of, from, count, windows);
        return;
    }
    const uint32_t channels = of->layer->in_channels;
    const int8_t *const begin = of->in->values + (uint32_t)of->first * channels + from;
    dd_dot_pack(begin, of->layer->stride * channels, count, windows);
}

static void convolve_tile(const tile *of, const int8_t *table, uint32_t steps, int8_t *out)
{
    const dd_conv1d *const layer = of->layer;
    uint32_t windows[DD_WINDOW_WORDS(DD_PART)];
    int32_t sums[DD_BLOCK * DD_TILE];
    const uint32_t size = (uint32_t)layer->kernel * layer->in_channels;
    const uint32_t row_bytes = DD_ROW_BYTES(size);
    for (uint32_t channel = 0; channel < layer->out_channels; channel += DD_BLOCK) {
        const uint32_t channels = dd_at_most(layer->out_channels - channel, DD_BLOCK);
        for (uint32_t from = 0; from < size; from += DD_PART) {
            const uint32_t count = dd_at_most(size - from, DD_PART);
            if (channel == 0 || size > DD_PART) {
                pack(of, from, count, windows);
            }
            const int8_t *const weights = layer->weights + channel * row_bytes;
            const dd_rows rows = {weights, row_bytes, channels, from};
            dd_dot_rows(windows, count, &rows, from != 0, sums);
        }
        const dd_tile_part part = {channel, channels, steps, out};
        dd_store_tile(layer, table, sums, &part);
    }
}

void dd_conv1d_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                  uint32_t steps, int8_t *out)
{
    const dd_conv1d *const layer = params;
    const int32_t reach = (DD_TILE - 1) * layer->stride + layer->kernel;
    tile of = {.layer = layer, .in = in};
    of.first = (int32_t)(first * layer->stride) - layer->pad_before - in->begin;
    for (uint32_t step = 0; step < steps; step += DD_TILE) {
        of.inside = of.first >= 0 && of.first + reach <= in->end - in->begin;
        convolve_tile(&of, table, dd_at_most(steps - step, DD_TILE), out);
        of.first += DD_TILE * layer->stride;
        out += (uint32_t)DD_TILE * layer->out_channels;
    }
}
