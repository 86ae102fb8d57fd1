#include "dd_conv1d_s8.h"

#include <stdbool.h>

#include "dd_requant.h"
#include "dd_store_tile.h"

/* Output channels whose sums are held at a time. Layers may have more; they take more rounds. */
#define BLOCK 32u

static_assert(BLOCK % 2u == 0 && DD_PART % 16u == 0, "dd_dot_rows takes pairs and whole groups");

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

/* The windows of one tile in a layer's input. */
typedef struct tile {
    const dd_conv1d *layer;
    dd_input in;
    int32_t first; /* step at which the first window begins */
    bool inside;   /* all of them lie within the input */
} tile;

/* Pack what partly lies outside the input: copied first, with the zero point where there is none. */
static void pack_border(const tile *of, uint32_t from, uint32_t count, uint32_t *windows)
{
    const int32_t hop = of->layer->stride * of->layer->in_channels;
    const int32_t end = of->in.steps * of->layer->in_channels;
    int32_t begin = of->first * of->layer->in_channels + (int32_t)from;
    int8_t values[DD_TILE * DD_PART];
    for (uint32_t step = 0; step < DD_TILE; step++) {
        for (uint32_t i = 0; i < count; i++) {
            const int32_t at = begin + (int32_t)i;
            const bool within = at >= 0 && at < end;
            values[step * DD_PART + i] = within ? of->in.values[at] : of->layer->in_zero_point;
        }
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
    const int8_t *const begin = of->in.values + (uint32_t)of->first * channels + from;
    dd_dot_pack(begin, of->layer->stride * channels, count, windows);
}

void dd_conv1d_tile(const dd_conv1d *layer, dd_input in, int32_t first, uint32_t steps, int8_t *out)
{
    uint32_t windows[DD_WINDOW_WORDS(DD_PART)];
    int32_t sums[BLOCK * DD_TILE];
    const int32_t last = first + (DD_TILE - 1) * layer->stride + layer->kernel;
    const tile of = {layer, in, first, first >= 0 && last <= in.steps};
    const uint32_t size = (uint32_t)layer->kernel * layer->in_channels;
    const uint32_t row_bytes = DD_ROW_BYTES(size);
    for (uint32_t channel = 0; channel < layer->out_channels; channel += BLOCK) {
        const uint32_t channels = at_most(layer->out_channels - channel, BLOCK);
        for (uint32_t from = 0; from < size; from += DD_PART) {
            const uint32_t count = at_most(size - from, DD_PART);
            if (channel == 0 || size > DD_PART) {
                pack(&of, from, count, windows);
            }
            const int8_t *const weights = layer->weights + channel * row_bytes;
            const dd_rows rows = {weights + from * DD_VALUE_BYTES, row_bytes, channels};
            dd_dot_rows(windows, count, &rows, from != 0, sums);
        }
        dd_store_tile(layer, sums, channel, channels, steps, out);
    }
}

void dd_conv1d_s8(const dd_conv1d *layer, const int8_t *in, int8_t *out)
{
    const dd_input all = {in, layer->in_length};
    int32_t first = -(int32_t)layer->pad_before;
    for (uint32_t step = 0; step < layer->out_length; step += DD_TILE) {
        dd_conv1d_tile(layer, all, first, at_most(layer->out_length - step, DD_TILE), out);
        first += DD_TILE * layer->stride;
        out += (uint32_t)DD_TILE * layer->out_channels;
    }
}
