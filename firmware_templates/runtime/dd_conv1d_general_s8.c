#include "dd_conv1d_general_s8.h"

#include <stdbool.h>
#include <string.h>

#include "dd_store_tile.h"

/* The windows of one tile, as one block of channels sees them. */
typedef struct gathering {
    const dd_conv1d *layer;
    const dd_view *in;
    int32_t begin;   /* the step at which the first window begins */
    uint32_t offset; /* the block's first channel of the input */
    uint32_t tap;    /* where the next part of the windows begins: its tap, */
    uint32_t within; /* and how many of the tap's channels went before */
} gathering;

/* Copy `count` values of the window that begins at step `begin`, and the zero point where it is
 * outside of the view. */
static void gather_window(const gathering *of, int32_t begin, uint32_t count, int8_t *out)
{
    const dd_conv1d *const layer = of->layer;
    const dd_view *const in = of->in;
    int32_t at = begin + (int32_t)(of->tap * layer->dilation);
    uint32_t within = of->within;
    while (count != 0) {
        const uint32_t run = dd_at_most(layer->window_channels - within, count);
        if (at >= in->begin && at < in->end) {
            const uint32_t step = (uint32_t)(at - in->begin);
            memcpy(out, in->values + step * layer->in_channels + of->offset + within, run);
        } else {
            memset(out, layer->in_zero_point, run);
        }
        out += run;
        count -= run;
        at += layer->dilation;
        within = 0;
    }
}

/* Pack the next `count` values of all windows. */
static void pack(gathering *of, uint32_t count, uint32_t *windows)
{
    int8_t values[DD_TILE * DD_PART];
    int32_t begin = of->begin;
    for (uint32_t step = 0; step < DD_TILE; step++) {
        gather_window(of, begin, count, values + step * DD_PART);
        begin += of->layer->stride;
    }
    dd_dot_pack(values, DD_PART, count, windows);
    of->within += count;
    while (of->within >= of->layer->window_channels) {
        of->within -= of->layer->window_channels;
        of->tap++;
    }
}

/* What a tile works on. */
typedef struct buffers {
    uint32_t windows[DD_WINDOW_WORDS(DD_PART)];
    int32_t sums[DD_BLOCK * DD_TILE];
    bool packed; /* the whole windows are */
} buffers;

static void multiply(gathering *of, dd_rows *rows, uint32_t size, buffers *with)
{
    of->tap = 0;
    of->within = 0;
    for (uint32_t from = 0; from < size; from += DD_PART) {
        const uint32_t count = dd_at_most(size - from, DD_PART);
        if (!with->packed) {
            pack(of, count, with->windows);
        }
        rows->from = from;
        dd_dot_rows(with->windows, count, rows, from != 0, with->sums);
    }
    with->packed = size <= DD_PART;
}

void dd_conv1d_blocks(const dd_conv1d *layer, const int8_t *table, const dd_view *in,
                      const dd_conv1d_tile *tile, int8_t *out)
{
    const uint32_t size = (uint32_t)layer->kernel * layer->window_channels;
    const uint32_t filters = layer->filters;
    const uint32_t row_bytes = DD_ROW_BYTES(size);
    const uint32_t block_bytes = DD_WEIGHT_ROWS(filters) * row_bytes;
    const bool grouped = layer->window_channels != layer->in_channels;
    const int8_t *weights = layer->weights;
    gathering of = {.layer = layer, .in = in, .begin = tile->begin};
    buffers with;
    with.packed = false;
    for (uint32_t block = 0; block < tile->channels; block += filters) {
        for (uint32_t channel = 0; channel < filters; channel += DD_BLOCK) {
            const uint32_t count = dd_at_most(filters - channel, DD_BLOCK);
            dd_rows rows = {weights + channel * row_bytes, row_bytes, count, 0};
            multiply(&of, &rows, size, &with);
            const dd_tile_part part = {block + channel, count, tile->steps, out};
            dd_store_tile(layer, table, with.sums, &part);
        }
        weights += block_bytes;
        if (grouped) {
            of.offset += layer->window_channels;
            with.packed = false;
        }
    }
}

void dd_conv1d_general_s8(const void *params, const int8_t *table, const dd_view *in,
                          uint32_t first, uint32_t steps, int8_t *out)
{
    const dd_conv1d *const layer = params;
    dd_conv1d_tile tile = {.channels = layer->out_channels};
    tile.begin = (int32_t)(first * layer->stride) - layer->pad_before;
    for (uint32_t step = 0; step < steps; step += DD_TILE) {
        tile.steps = dd_at_most(steps - step, DD_TILE);
        dd_conv1d_blocks(layer, table, in, &tile, out);
        tile.begin += DD_TILE * layer->stride;
        out += (uint32_t)DD_TILE * layer->out_channels;
    }
}
