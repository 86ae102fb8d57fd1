#include "dd_conv1d_s8.h"

#include <stdbool.h>

#include "dd_dot_lanes.h"
#include "dd_requant.h"
#include "dd_store_tile.h"

/* The stack that a tile takes: 8 bytes for each value of the window's part that is worked on, 16
 * for each output channel of the block. Windows and layers may be larger; they take more rounds. */
#define PART  224u
#define BLOCK 64u

static_assert(PART <= DD_LANES_MAX, "a part must fit the lanes");
static_assert(DD_CONV1D_TILE == 4 && BLOCK % 2u == 0,
              "dd_dot_lanes takes four windows and two channels");

/* One value of the padded input, by its index from the first real one. */
static int32_t value_at(const dd_conv1d *layer, const int8_t *in, int32_t index)
{
    const int32_t end = (int32_t)layer->in_length * layer->in_channels;
    return index >= 0 && index < end ? in[index] : layer->in_zero_point;
}

static void pack_border(const dd_conv1d *layer, const int8_t *in, int32_t index, uint32_t count,
                        dd_lanes *windows)
{
    const int32_t hop = layer->stride * layer->in_channels;
    for (uint32_t i = 0; i < count; i++) {
        windows[i].first =
            dd_lane_pair(value_at(layer, in, index), value_at(layer, in, index + hop));
        windows[i].second = dd_lane_pair(value_at(layer, in, index + 2 * hop),
                                         value_at(layer, in, index + 3 * hop));
        index++;
    }
}

static void pack_inside(const int8_t *in, uint32_t hop, uint32_t count, dd_lanes *windows)
{
    const int8_t *const in1 = in + hop;
    const int8_t *const in2 = in1 + hop;
    const int8_t *const in3 = in2 + hop;
    for (uint32_t i = 0; i < count; i++) {
        windows[i].first = dd_lane_pair(in[i], in1[i]);
        windows[i].second = dd_lane_pair(in2[i], in3[i]);
    }
}

/* Read values [from, from + count) of the windows of four steps, the first of which begins at input
 * step `row`. */
static void pack(const dd_conv1d *layer, const int8_t *in, int32_t row, uint32_t from,
                 uint32_t count, dd_lanes *windows)
{
    const int32_t index = row * layer->in_channels + (int32_t)from;
    const bool inside =
        row >= 0 && row + (DD_CONV1D_TILE - 1) * layer->stride + layer->kernel <= layer->in_length;
    if (inside) {
        pack_inside(in + index, (uint32_t)layer->stride * layer->in_channels, count, windows);
    } else {
        pack_border(layer, in, index, count, windows);
    }
}

static void dot_added(const dd_lanes *windows, const int8_t *u, const int8_t *v, uint32_t count,
                      int32_t *sums)
{
    int32_t more[2 * DD_CONV1D_TILE];
    dd_dot_lanes(windows, u, v, count, more);
    for (uint32_t i = 0; i < 2 * DD_CONV1D_TILE; i++) {
        sums[i] = dd_add(sums[i], more[i]);
    }
}

/* Sums of `channels` output channels over one part of the window, two at a time. An odd last one is
 * its own partner, whose sums nobody reads. */
static void dot_block(const dd_lanes *windows, const int8_t *weights, uint32_t size, uint32_t from,
                      uint32_t count, uint32_t channels, int32_t *sums)
{
    const int8_t *u = weights + from;
    for (uint32_t channel = 0; channel < channels; channel += 2) {
        const int8_t *const v = channel + 1 < channels ? u + size : u;
        if (from == 0) {
            dd_dot_lanes(windows, u, v, count, sums);
        } else {
            dot_added(windows, u, v, count, sums);
        }
        u = v + size;
        sums += 2 * DD_CONV1D_TILE;
    }
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

static void convolve_tile(const dd_conv1d *layer, const int8_t *in, int32_t row, uint32_t steps,
                          int8_t *out)
{
    dd_lanes windows[PART];
    int32_t sums[BLOCK * DD_CONV1D_TILE];
    const uint32_t size = (uint32_t)layer->kernel * layer->in_channels;
    for (uint32_t first = 0; first < layer->out_channels; first += BLOCK) {
        const uint32_t channels = at_most(layer->out_channels - first, BLOCK);
        for (uint32_t from = 0; from < size; from += PART) {
            const uint32_t count = at_most(size - from, PART);
            pack(layer, in, row, from, count, windows);
            dot_block(windows, layer->weights + first * size, size, from, count, channels, sums);
        }
        dd_store_tile(layer, sums, first, channels, steps, out);
    }
}

void dd_conv1d_s8(const dd_conv1d *layer, const int8_t *in, int8_t *out)
{
    int32_t row = -(int32_t)layer->pad_before;
    for (uint32_t step = 0; step < layer->out_length; step += DD_CONV1D_TILE) {
        convolve_tile(layer, in, row, at_most(layer->out_length - step, DD_CONV1D_TILE), out);
        row += DD_CONV1D_TILE * layer->stride;
        out += DD_CONV1D_TILE * layer->out_channels;
    }
}
