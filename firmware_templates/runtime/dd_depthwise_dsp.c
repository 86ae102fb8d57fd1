/* For the DSP extension: four channels at a time, whose values of two steps share a word, and whose
 * weights of two taps do. What is left of a layer, and what has no time, goes value by value. */
#include "dd_depthwise_s8.h"

#if DD_KERNELS == DD_KERNELS_DSP

#include <stdbool.h>
#include <stddef.h>

#include "dd_depthwise_parts.h"
#include "dd_lookup_s8.h"
#include "dd_requant.h"
#include "dd_simd.h"

/* The windows of some steps on end. */
typedef struct walk {
    const dd_conv1d *layer;
    const int8_t *table;
    const dd_view *in;
    const uint32_t *channels; /* the weights, as words */
    uint32_t words;           /* of a channel */
    uint32_t pairs;           /* of its weights */
    uint32_t steps;           /* of the view */
    uint32_t zeros;           /* four zero points */
} walk;

static walk walk_of(const dd_conv1d *layer, const int8_t *table, const dd_view *in)
{
    const uint32_t pairs = (layer->kernel + 1u) / 2u;
    return (walk){.layer = layer,
                  .table = table,
                  .in = in,
                  .channels = (const uint32_t *)(const void *)layer->weights,
                  .words = pairs + (uint32_t)DD_DEPTHWISE_END_WORDS,
                  .pairs = pairs,
                  .steps = (uint32_t)(in->end - in->begin),
                  .zeros = (uint8_t)layer->in_zero_point * 0x01010101u};
}

/* Where the values of a window are taken from: those of the view, and zero points outside of it. */
typedef struct window {
    const dd_view *in;
    int32_t begin;  /* its first step, from the view's on */
    uint32_t steps; /* of the view */
    uint32_t hop;   /* from step to step */
    int32_t down;   /* steps from tap to tap */
    uint32_t kernel;
    int32_t zero_point;
    bool inside;
} window;

static window window_of(const walk *of, int32_t begin)
{
    const dd_conv1d *const layer = of->layer;
    const int32_t span = (layer->kernel - 1) * layer->dilation;
    return (window){.in = of->in,
                    .begin = begin,
                    .steps = of->steps,
                    .hop = layer->in_channels,
                    .down = layer->dilation,
                    .kernel = layer->kernel,
                    .zero_point = layer->in_zero_point,
                    .inside = begin >= 0 && begin + span < (int32_t)of->steps};
}

static int32_t sum_inside(const window *of, const uint32_t *words, uint32_t channel)
{
    const uint32_t down = (uint32_t)of->down * of->hop;
    const int8_t *at = of->in->values + (uint32_t)of->begin * of->hop + channel;
    int32_t sum = 0;
    for (uint32_t pair = of->kernel / 2u; pair != 0; pair--) {
        sum = dd_add_products(dd_lanes(at[0], at[down]), *words++, sum);
        at += 2u * down;
    }
    return of->kernel % 2u == 0 ? sum : sum + at[0] * dd_high(*words);
}

static int32_t sum_border(const window *of, const uint32_t *words, uint32_t channel)
{
    int32_t step = of->begin;
    int32_t sum = 0;
    for (uint32_t tap = 0; tap < of->kernel; tap++) {
        const bool inside = (uint32_t)step < of->steps;
        const uint32_t place = (uint32_t)step * of->hop + channel;
        const bool high = tap % 2u != 0 || tap == of->kernel - 1u;
        sum += (inside ? of->in->values[place] : of->zero_point) *
               (high ? dd_high(*words) : dd_low(*words));
        words += high ? 1 : 0;
        step += of->down;
    }
    return sum;
}

/* A sum that is not doubled to a code, for any shift. */
static int32_t code_of(const dd_conv1d *layer, int32_t sum, const dd_depthwise_end *end)
{
    const int32_t scaled = dd_requantize(sum, end->multiplier, -end->shift);
    return dd_clamp(scaled, -256, 255) + layer->out_zero_point;
}

/* One step of the output channels from `first` on: any number of them, doubled or not. */
static void rest_of_step(const walk *of, uint32_t first, int32_t begin, int8_t *out)
{
    const dd_conv1d *const layer = of->layer;
    if (first == layer->out_channels) {
        return;
    }
    const window input = window_of(of, begin);
    const uint32_t *words = of->channels + first * of->words;
    uint32_t source = first / layer->filters;
    uint32_t left = layer->filters - (first - source * layer->filters);
    for (uint32_t channel = first; channel < layer->out_channels; channel++) {
        const dd_depthwise_end *const end =
            (const dd_depthwise_end *)(const void *)(words + of->pairs);
        const int32_t products =
            input.inside ? sum_inside(&input, words, source) : sum_border(&input, words, source);
        const int32_t whole = dd_add(products, end->bias);
        const int32_t code =
            layer->doubles ? dd_depthwise_code(whole, end) : code_of(layer, whole, end);
        out[channel] = (int8_t)dd_clamp(code, layer->out_min, layer->out_max);
        words += of->words;
        left--;
        if (left == 0) {
            left = layer->filters;
            source++;
        }
    }
}

static inline int32_t scaled_from(int32_t sum, const uint32_t *words)
{
    const dd_depthwise_end *const end = (const dd_depthwise_end *)(const void *)words;
    return dd_depthwise_code(sum + end->bias, end);
}

/* The sums of four channels at one step. */
typedef struct quad {
    int32_t sum0;
    int32_t sum1;
    int32_t sum2;
    int32_t sum3;
} quad;

/* Two taps of four channels, whose weights begin at `words`. */
static inline void add_pair(quad *to, uint32_t first, uint32_t second, const uint32_t *words,
                            uint32_t hop)
{
    const uint32_t lower = dd_lower_halves(first, second);
    const uint32_t upper = dd_upper_halves(first, second);
    to->sum0 = dd_add_products(dd_even_bytes(lower), words[0], to->sum0);
    to->sum1 = dd_add_products(dd_odd_bytes(lower), words[hop], to->sum1);
    to->sum2 = dd_add_products(dd_even_bytes(upper), words[2 * hop], to->sum2);
    to->sum3 = dd_add_products(dd_odd_bytes(upper), words[3 * hop], to->sum3);
}

/* The last tap, if their number is odd. */
static inline void add_last(quad *to, uint32_t last, const uint32_t *words, uint32_t hop)
{
    const uint32_t even = dd_even_bytes(last);
    const uint32_t odd = dd_odd_bytes(last);
    to->sum0 = dd_add_low_high(even, words[0], to->sum0);
    to->sum1 = dd_add_low_high(odd, words[hop], to->sum1);
    to->sum2 = dd_add_high_high(even, words[2 * hop], to->sum2);
    to->sum3 = dd_add_high_high(odd, words[3 * hop], to->sum3);
}

/* Where the values of a step are taken from. */
typedef struct rows {
    const int8_t *values; /* the view's */
    uint32_t steps;
    uint32_t hop; /* from step to step */
    uint32_t zeros;
} rows;

/* Four values at a step of the view, or zero points outside of it. */
static inline uint32_t four_at(const rows *from, int32_t step, uint32_t channel)
{
    const uint32_t place = (uint32_t)step * from->hop + channel;
    return (uint32_t)step < from->steps ? dd_four(from->values + place) : from->zeros;
}

/* Store one step of four channels, of which `words` are the endings. */
static inline void store_quad(const quad *sums, const uint32_t *words, uint32_t hop, int8_t *out)
{
    const int32_t code0 = scaled_from(sums->sum0, words);
    const int32_t code1 = scaled_from(sums->sum1, words + hop);
    const int32_t code2 = scaled_from(sums->sum2, words + 2 * hop);
    const int32_t code3 = scaled_from(sums->sum3, words + 3 * hop);
    out[0] = (int8_t)code0;
    out[1] = (int8_t)code1;
    out[2] = (int8_t)code2;
    out[3] = (int8_t)code3;
}

/* What dd_depthwise_quads does for a window that begins at step `begin` of the view and is partly
 * outside of it. */
static void border_step(const walk *of, int32_t begin, uint32_t count, int8_t *out)
{
    const rows from = {of->in->values, of->steps, of->layer->in_channels, of->zeros};
    const uint32_t hop = of->words;
    const int32_t down = of->layer->dilation;
    const uint32_t kernel = of->layer->kernel;
    const uint32_t *words = of->channels;
    for (uint32_t channel = 0; channel < count; channel += 4) {
        int32_t at = begin;
        quad sums = {0, 0, 0, 0};
        for (uint32_t pair = kernel / 2u; pair != 0; pair--) {
            const uint32_t first = four_at(&from, at, channel);
            add_pair(&sums, first, four_at(&from, at + down, channel), words, hop);
            at += 2 * down;
            words++;
        }
        if (kernel % 2u != 0) {
            add_last(&sums, four_at(&from, at, channel), words, hop);
            words++;
        }
        store_quad(&sums, words, hop, out);
        words += DD_DEPTHWISE_END_WORDS + 3u * hop;
        out += 4;
    }
}

#define CHUNK 16u /* channels whose values are brought together at a time */

/* Copy `count` values, whole fours. */
static void copy_fours(int8_t *to, const int8_t *from, uint32_t count)
{
    for (; count != 0; count -= 4) {
        const uint32_t four = dd_four(from);
        memcpy(to, &four, sizeof four);
        from += 4;
        to += 4;
    }
}

/* Up to three steps of a kernel of three whose windows are partly outside of the view. */
static void border_steps(const walk *of, int32_t begin, uint32_t steps, uint32_t count, int8_t *out)
{
    const uint32_t hop = of->layer->in_channels;
    int8_t values[5 * CHUNK];
    int8_t codes[3 * CHUNK];
    for (uint32_t channel = 0; channel < count; channel += CHUNK) {
        const uint32_t now = count - channel < CHUNK ? count - channel : CHUNK;
        const uint32_t *const words = of->channels + channel * of->words;
        memset(values, of->layer->in_zero_point, sizeof values);
        for (uint32_t row = 0; row < 5; row++) {
            const uint32_t step = (uint32_t)(begin + (int32_t)row);
            if (step < of->steps) {
                copy_fours(values + row * CHUNK, of->in->values + step * hop + channel, now);
            }
        }
        dd_depthwise_three(of->layer, words, values, CHUNK, now, codes);
        for (uint32_t step = 0; step < steps; step++) {
            copy_fours(out + step * hop + channel, codes + step * CHUNK, now);
        }
    }
}

/* Up to three steps of a kernel of three. */
static void three_steps(const walk *of, int32_t begin, uint32_t steps, uint32_t count, int8_t *out)
{
    const uint32_t hop = of->layer->in_channels;
    if (steps == 3 && begin >= 0 && begin + 5 <= (int32_t)of->steps) {
        const int8_t *const at = of->in->values + (uint32_t)begin * hop;
        dd_depthwise_three(of->layer, of->channels, at, hop, count, out);
    } else {
        border_steps(of, begin, steps, count, out);
    }
}

/* One step of any kernel. */
static void one_step(const walk *of, int32_t begin, uint32_t count, int8_t *out)
{
    const dd_conv1d *const layer = of->layer;
    const int32_t span = (layer->kernel - 1) * layer->dilation;
    if (begin >= 0 && begin + span < (int32_t)of->steps) {
        const int8_t *const at = of->in->values + (uint32_t)begin * layer->in_channels;
        dd_depthwise_quads(layer, of->channels, at, count, out);
    } else {
        border_step(of, begin, count, out);
    }
}

/* Clamp the codes of the first `count` channels, which are saturated only, and look all of them up.
 */
static void finish_step(const walk *of, uint32_t count, int8_t *out)
{
    const dd_conv1d *const layer = of->layer;
    if (layer->out_min != INT8_MIN || layer->out_max != INT8_MAX) {
        const uint32_t least = (uint8_t)layer->out_min * 0x01010101u;
        const uint32_t most = (uint8_t)layer->out_max * 0x01010101u;
        for (uint32_t i = 0; i < count; i += 4) {
            const uint32_t codes = dd_clamp_bytes(dd_four(out + i), least, most);
            memcpy(out + i, &codes, sizeof codes);
        }
    }
    if (of->table != NULL) {
        dd_lookup_s8(of->table, out, layer->out_channels);
    }
}

void dd_depthwise_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                     uint32_t steps, int8_t *out)
{
    const dd_conv1d *const layer = params;
    const walk of = walk_of(layer, table, in);
    const uint32_t fast = layer->doubles && layer->filters == 1 ? layer->out_channels / 4u * 4u : 0;
    const bool three = layer->kernel == 3 && layer->stride == 1 && layer->dilation == 1;
    int32_t begin = (int32_t)(first * layer->stride) - layer->pad_before - in->begin;
    while (steps != 0) {
        const uint32_t now = three && steps >= 2 ? (steps < 3 ? 2u : 3u) : 1u;
        if (three) {
            three_steps(&of, begin, now, fast, out);
        } else {
            one_step(&of, begin, fast, out);
        }
        for (uint32_t step = 0; step < now; step++) {
            rest_of_step(&of, fast, begin, out);
            finish_step(&of, fast, out);
            begin += layer->stride;
            out += layer->out_channels;
        }
        steps -= now;
    }
}

#endif
