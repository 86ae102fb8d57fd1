#include "dd_transpose_conv_s8.h"

#include "dd_conv1d_general_s8.h"

/* The convolution that a row is, without the first `phases` blocks of its channels. */
static dd_conv1d row_from(const dd_conv1d *layer, uint32_t phases)
{
    dd_conv1d row = *layer;
    const uint32_t size = (uint32_t)layer->kernel * layer->window_channels;
    const uint32_t channels = phases * layer->filters;
    row.stride = 1;
    row.weights += phases * (DD_WEIGHT_ROWS(layer->filters) * DD_ROW_BYTES(size));
    row.bias += channels;
    row.multiplier += channels;
    row.shift += channels;
    return row;
}

/* How many whole rows fit a tile and `steps`. */
static uint32_t whole_rows(uint32_t steps, uint32_t row)
{
    uint32_t rows = 0;
    while (rows < DD_TILE && steps >= row) {
        steps -= row;
        rows++;
    }
    return rows;
}

/* One division for each call. */
void dd_transpose_conv_s8(const void *params, const int8_t *table, const dd_view *in,
                          uint32_t first, uint32_t steps, int8_t *out)
{
    const dd_conv1d *const layer = params;
    const uint32_t place = first + layer->pad_before;
    const uint32_t row = place / layer->stride;
    uint32_t phase = place - row * layer->stride;
    dd_conv1d_tile tile = {.begin = (int32_t)row - (layer->kernel - 1)};
    while (steps != 0) {
        const uint32_t rows = phase == 0 ? whole_rows(steps, layer->stride) : 0;
        const uint32_t rest = layer->stride - phase;
        const uint32_t part = steps < rest ? steps : rest; /* of one row */
        const uint32_t count = rows != 0 ? rows * layer->stride : part;
        const dd_conv1d phase_layer = row_from(layer, phase);
        tile.steps = rows != 0 ? rows : 1;
        tile.channels = (rows != 0 ? layer->stride : part) * layer->filters;
        dd_conv1d_blocks(&phase_layer, table, in, &tile, out);
        tile.begin += (int32_t)tile.steps;
        phase = 0;
        steps -= count;
        out += count * layer->filters;
    }
}
