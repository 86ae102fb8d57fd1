#include "dd_depthwise_s8.h"

#if DD_KERNELS != DD_KERNELS_DSP

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "dd_store_tile.h"

static_assert(DD_TILE == 4, "sum_inside adds up four steps");

/* The windows of one tile. */
typedef struct tile {
    const dd_conv1d *layer;
    const dd_view *in;
    int32_t begin; /* step of the view at which the first window begins */
    bool inside;   /* all of them lie within the view */
} tile;

/* The sums of one channel; its weights and values begin at `weights` and `at`. */
static void sum_inside(const dd_conv1d *layer, const int8_t *weights, const int8_t *at,
                       int32_t *sums)
{
    const uint32_t hop = (uint32_t)layer->stride * layer->in_channels;
    const uint32_t down = (uint32_t)layer->dilation * layer->in_channels;
    int32_t sum0 = 0;
    int32_t sum1 = 0;
    int32_t sum2 = 0;
    int32_t sum3 = 0;
    for (uint32_t tap = layer->kernel; tap != 0; tap--) {
        const int32_t weight = *weights;
        sum0 += at[0] * weight;
        sum1 += at[hop] * weight;
        sum2 += at[2 * hop] * weight;
        sum3 += at[3 * hop] * weight;
        weights += layer->out_channels;
        at += down;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

/* The same for windows that partly lie outside the view, where there are zero points. */
static void sum_border(const tile *of, const int8_t *weights, uint32_t channel, int32_t *sums)
{
    const dd_conv1d *const layer = of->layer;
    const int32_t steps = of->in->end - of->in->begin;
    int32_t begin = of->begin;
    for (uint32_t step = 0; step < DD_TILE; step++) {
        const int8_t *weight = weights;
        int32_t at = begin;
        int32_t sum = 0;
        for (uint32_t tap = layer->kernel; tap != 0; tap--) {
            const bool inside = at >= 0 && at < steps;
            const uint32_t place = (uint32_t)at * layer->in_channels + channel;
            sum += *weight * (inside ? of->in->values[place] : layer->in_zero_point);
            weight += layer->out_channels;
            at += layer->dilation;
        }
        sums[step] = sum;
        begin += layer->stride;
    }
}

/* The sums of the next `count` output channels; `channel` is the input's, of which `of_channel`
 * went before. */
static void sum_channels(const tile *of, uint32_t first, uint32_t count, int32_t *sums)
{
    const dd_conv1d *const layer = of->layer;
    const uint32_t begin = (uint32_t)of->begin * layer->in_channels;
    uint32_t channel = first / layer->filters;
    uint32_t left = layer->filters - (first - channel * layer->filters);
    for (uint32_t i = 0; i < count; i++) {
        const int8_t *const weights = layer->weights + first + i;
        if (of->inside) {
            sum_inside(layer, weights, of->in->values + begin + channel, sums);
        } else {
            sum_border(of, weights, channel, sums);
        }
        sums += DD_TILE;
        left--;
        if (left == 0) {
            left = layer->filters;
            channel++;
        }
    }
}

#if defined(__ARM_FEATURE_MVE) && DD_KERNELS == DD_KERNELS_HELIUM

#include <arm_mve.h>

/* How four channels' sums become codes. */
typedef struct scaling {
    int32x4_t bias;
    int32x4_t multiplier;
    int32x4_t shift;
    int32x4_t least;
    int32x4_t most;
    int32_t zero_point;
    mve_pred16_t active; /* which of the channels the layer has */
} scaling;

static inline scaling scaling_of(const dd_conv1d *layer, uint32_t channel)
{
    const mve_pred16_t active = vctp32q(layer->out_channels - channel);
    return (scaling){.bias = vldrwq_z_s32(layer->bias + channel, active),
                     .multiplier = vldrwq_z_s32(layer->multiplier + channel, active),
                     .shift = vldrbq_z_s32(layer->shift + channel, active),
                     .least = vdupq_n_s32(layer->out_min),
                     .most = vdupq_n_s32(layer->out_max),
                     .zero_point = layer->out_zero_point,
                     .active = active};
}

/* The vector multiplication rounds as dd_multiply_high does. */
static inline void store_four(const scaling *by, const int8_t *table, int32x4_t sum, int8_t *out)
{
    const int32x4_t high = vqrdmulhq_s32(vaddq_s32(sum, by->bias), by->multiplier);
    const int32x4_t away = vaddq_s32(high, vshrq_n_s32(high, 31));
    const int32x4_t scaled = vaddq_n_s32(vrshlq_s32(away, by->shift), by->zero_point);
    int32x4_t code = vminq_s32(vmaxq_s32(scaled, by->least), by->most);
    if (table != NULL) {
        const uint32x4_t index = vreinterpretq_u32_s32(vaddq_n_s32(code, 128));
        code = vldrbq_gather_offset_z_s32(table, index, by->active);
    }
    vstrbq_p_s32(out, code, by->active);
}

static inline int32x4_t add_four(int32x4_t sum, const int8_t *at, int32x4_t weight,
                                 mve_pred16_t active)
{
    return vaddq_s32(sum, vmulq_s32(vldrbq_z_s32(at, active), weight));
}

/* A tile of four channels; `at` is the first value of the first window. */
static void four_steps(const dd_conv1d *layer, const int8_t *table, uint32_t channel,
                       const int8_t *at, int8_t *out)
{
    const scaling by = scaling_of(layer, channel);
    const uint32_t channels = layer->out_channels;
    const uint32_t hop = (uint32_t)layer->stride * channels;
    const uint32_t down = (uint32_t)layer->dilation * channels;
    const int8_t *weights = layer->weights + channel;
    int32x4_t sum0 = vdupq_n_s32(0);
    int32x4_t sum1 = sum0;
    int32x4_t sum2 = sum0;
    int32x4_t sum3 = sum0;
    for (uint32_t tap = layer->kernel; tap != 0; tap--) {
        const int32x4_t weight = vldrbq_z_s32(weights, by.active);
        sum0 = add_four(sum0, at, weight, by.active);
        sum1 = add_four(sum1, at + hop, weight, by.active);
        sum2 = add_four(sum2, at + 2 * hop, weight, by.active);
        sum3 = add_four(sum3, at + 3 * hop, weight, by.active);
        weights += channels;
        at += down;
    }
    store_four(&by, table, sum0, out);
    store_four(&by, table, sum1, out + channels);
    store_four(&by, table, sum2, out + 2 * channels);
    store_four(&by, table, sum3, out + 3 * channels);
}

/* One step of four channels, with zero points outside of the view. */
static void one_step(const tile *of, const int8_t *table, uint32_t channel, int8_t *out)
{
    const dd_conv1d *const layer = of->layer;
    const scaling by = scaling_of(layer, channel);
    const uint32_t hop = layer->out_channels;
    const int32_t steps = of->in->end - of->in->begin;
    const int8_t *weights = layer->weights + channel;
    int32x4_t sum = vdupq_n_s32(0);
    int32_t at = of->begin;
    for (uint32_t tap = layer->kernel; tap != 0; tap--) {
        const int32x4_t weight = vldrbq_z_s32(weights, by.active);
        if (at >= 0 && at < steps) {
            const int8_t *const value = of->in->values + (uint32_t)at * hop + channel;
            sum = add_four(sum, value, weight, by.active);
        } else {
            sum = vaddq_s32(sum, vmulq_n_s32(weight, layer->in_zero_point));
        }
        weights += hop;
        at += layer->dilation;
    }
    store_four(&by, table, sum, out);
}

/* One value a channel, and shifts to the right only. */
static bool has_vectors(const dd_conv1d *layer)
{
    return layer->filters == 1 && layer->doubles;
}

static void convolve_vectors(const tile *of, const int8_t *table, uint32_t steps, int8_t *out)
{
    const uint32_t channels = of->layer->out_channels;
    tile at = *of;
    if (of->inside && steps == DD_TILE) {
        const int8_t *const begin = of->in->values + (uint32_t)of->begin * channels;
        for (uint32_t channel = 0; channel < channels; channel += 4) {
            four_steps(of->layer, table, channel, begin + channel, out + channel);
        }
        return;
    }
    for (; steps != 0; steps--) {
        for (uint32_t channel = 0; channel < channels; channel += 4) {
            one_step(&at, table, channel, out + channel);
        }
        at.begin += at.layer->stride;
        out += channels;
    }
}

#else

static bool has_vectors(const dd_conv1d *layer)
{
    (void)layer;
    return false;
}

static void convolve_vectors(const tile *of, const int8_t *table, uint32_t steps, int8_t *out)
{
    (void)of;
    (void)table;
    (void)steps;
    (void)out;
}

#endif

static void convolve_tile(const tile *of, const int8_t *table, uint32_t steps, int8_t *out)
{
    int32_t sums[DD_BLOCK * DD_TILE];
    const uint32_t channels = of->layer->out_channels;
    for (uint32_t channel = 0; channel < channels; channel += DD_BLOCK) {
        const uint32_t count = dd_at_most(channels - channel, DD_BLOCK);
        sum_channels(of, channel, count, sums);
        const dd_tile_part part = {channel, count, steps, out};
        dd_store_tile(of->layer, table, sums, &part);
    }
}

void dd_depthwise_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                     uint32_t steps, int8_t *out)
{
    const dd_conv1d *const layer = params;
    const int32_t reach = (DD_TILE - 1) * layer->stride + (layer->kernel - 1) * layer->dilation;
    tile of = {.layer = layer, .in = in};
    of.begin = (int32_t)(first * layer->stride) - layer->pad_before - in->begin;
    for (uint32_t step = 0; step < steps; step += DD_TILE) {
        of.inside = of.begin >= 0 && of.begin + reach < in->end - in->begin;
        if (has_vectors(layer)) {
            convolve_vectors(&of, table, dd_at_most(steps - step, DD_TILE), out);
        } else {
            convolve_tile(&of, table, dd_at_most(steps - step, DD_TILE), out);
        }
        of.begin += DD_TILE * layer->stride;
        out += (uint32_t)DD_TILE * layer->out_channels;
    }
}

#endif
