/* For the DSP extension: four channels at a time, whose values of two steps share a word, and whose
 * weights of two taps do. What is left of a layer, and what has no time, goes value by value. */
#include "dd_depthwise_s8.h"

#if DD_KERNELS == DD_KERNELS_DSP

#include <stdbool.h>
#include <stddef.h>

#include "dd_lookup_s8.h"
#include "dd_requant.h"
#include "dd_simd.h"

/* What there is of each channel, one behind the other, `words` words each: pairs of weights, and
 * then this. An odd number of taps ends with a pair of the last two, of which the first is there
 * for the second time. With `doubles` weights and bias are doubled. */
typedef struct ending {
    int32_t bias;
    int32_t multiplier;
    int32_t shift;  /* to the right */
    int32_t offset; /* with `doubles` what rounds, and the zero point: (2 z + 1) x 2^(shift - 1) */
} ending;

#define ENDING_WORDS (sizeof(ending) / sizeof(uint32_t))

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
                  .words = pairs + (uint32_t)ENDING_WORDS,
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
        const bool there = (uint32_t)step < of->steps;
        const uint32_t place = (uint32_t)step * of->hop + channel;
        const bool high = tap % 2u != 0 || tap == of->kernel - 1u;
        sum += (there ? of->in->values[place] : of->zero_point) *
               (high ? dd_high(*words) : dd_low(*words));
        words += high ? 1 : 0;
        step += of->down;
    }
    return sum;
}

/* A doubled sum as what int8 holds of it. */
static inline int32_t scaled_of(int32_t sum, const ending *end)
{
    const int32_t offset = end->offset + (sum >> 31); /* ties of negative values leave zero, too */
    return dd_saturate(dd_add_rounded_high(sum, end->multiplier, offset) >> end->shift);
}

/* The same where sums are not doubled, for any shift. */
static int32_t code_of(const dd_conv1d *layer, int32_t sum, const ending *end)
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
    const window seen = window_of(of, begin);
    const uint32_t *words = of->channels + first * of->words;
    uint32_t source = first / layer->filters;
    uint32_t left = layer->filters - (first - source * layer->filters);
    for (uint32_t channel = first; channel < layer->out_channels; channel++) {
        const ending *const end = (const ending *)(const void *)(words + of->pairs);
        const int32_t products =
            seen.inside ? sum_inside(&seen, words, source) : sum_border(&seen, words, source);
        const int32_t whole = dd_add(products, end->bias);
        const int32_t code = layer->doubles ? scaled_of(whole, end) : code_of(layer, whole, end);
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
    const ending *const end = (const ending *)(const void *)words;
    return scaled_of(sum + end->bias, end);
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

/* One step of the first `count` channels, whole fours, whose window begins at `at`. */
static void inner_step(const walk *of, const int8_t *at, uint32_t count, int8_t *out)
{
    const uint32_t hop = of->words;
    const uint32_t down = (uint32_t)of->layer->dilation * of->layer->in_channels;
    const uint32_t pairs = of->layer->kernel / 2u;
    const bool odd = of->layer->kernel % 2u != 0;
    const uint32_t *words = of->channels;
    for (uint32_t left = count; left != 0; left -= 4) {
        const int8_t *value = at;
        quad sums = {0, 0, 0, 0};
        for (uint32_t pair = pairs; pair != 0; pair--) {
            add_pair(&sums, dd_four(value), dd_four(value + down), words, hop);
            value += 2u * down;
            words++;
        }
        if (odd) {
            add_last(&sums, dd_four(value), words, hop);
            words++;
        }
        store_quad(&sums, words, hop, out);
        words += ENDING_WORDS + 3u * hop;
        at += 4;
        out += 4;
    }
}

/* The same for a window that begins at step `begin` of the view and is partly outside of it. */
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
        words += ENDING_WORDS + 3u * hop;
        out += 4;
    }
}

#if DD_SIMD_ASSEMBLY && defined(__ARM_FEATURE_UNALIGNED)

/* One of three sums to a code. */
#define CODE(sum)                         \
    "add lr, r12, " sum ", asr #31\n\t"   \
    "smmlar " sum ", " sum ", r7, lr\n\t" \
    "asr " sum ", " sum ", r8\n\t"        \
    "ssat " sum ", #8, " sum "\n\t"
/* Three steps of one channel, which is the lower byte of each half, or turned to be it. */
#define CHANNEL(turned)                                 \
    "ldm r3!, {r7, r8, r9}\n\t"                         \
    "sxtb16 r10, r4" turned "\n\t"                      \
    "smlad r11, r10, r7, r9\n\t"                        \
    "smlatb r10, r10, r7, r9\n\t"                       \
    "sxtb16 r12, r5" turned "\n\t"                      \
    "smlad r9, r12, r7, r9\n\t"                         \
    "smlabt r11, r12, r8, r11\n\t"                      \
    "smlad r10, r12, r8, r10\n\t"                       \
    "sxtb16 r12, r6" turned "\n\t"                      \
    "smlabt r9, r12, r8, r9\n\t"                        \
    "ldm r3!, {r7, r8, r12}\n\t" CODE("r9") CODE("r10") \
        CODE("r11") "strb r10, [r2, r1]\n\t"            \
                    "strb r9, [r2, r1, lsl #1]\n\t"     \
                    "strb r11, [r2], #1\n\t"

/* Three steps of a kernel of three without a stride, two channels at a time, until `out` is `end`.
 * The values of five steps fill three registers: r4 and r5 have two steps each, r6 the last one; r7
 * and r8 the weights, r9 to r11 the sums. The compiler spills half of this. */
__attribute__((naked)) static void three_steps_of_pairs(__attribute__((unused)) const int8_t *in,
                                                        __attribute__((unused)) uint32_t hop,
                                                        __attribute__((unused)) int8_t *out,
                                                        __attribute__((unused))
                                                        const uint32_t *words,
                                                        __attribute__((unused)) const int8_t *end)
{
    __asm volatile("push {r4-r11, lr}\n"
                   "1:\n\t"
                   "add lr, r0, r1, lsl #1\n\t"
                   "ldrh r7, [r0, r1]\n\t"
                   "ldrh r5, [lr]\n\t"
                   "ldrh r8, [lr, r1]\n\t"
                   "ldrh r6, [lr, r1, lsl #1]\n\t"
                   "ldrh r4, [r0], #2\n\t"
                   "pkhbt r4, r4, r7, lsl #16\n\t"
                   "pkhbt r5, r5, r8, lsl #16\n\t" CHANNEL("")
                       CHANNEL(", ror #8") "ldr lr, [sp, #36]\n\t"
                                           "cmp r2, lr\n\t"
                                           "bne 1b\n\t"
                                           "pop {r4-r11, pc}");
}

static void three_steps(const walk *of, const int8_t *at, uint32_t count, int8_t *out)
{
    if (count != 0) {
        three_steps_of_pairs(at, of->layer->in_channels, out, of->channels, out + count);
    }
}

#else

/* Three steps of one channel of a kernel of three without a stride. */
static void store_three(const int8_t *in, uint32_t hop, const uint32_t *words, int8_t *out)
{
    const ending *const end = (const ending *)(const void *)(words + 2);
    for (uint32_t step = 0; step < 3; step++) {
        const uint32_t first = dd_lanes(in[0], in[hop]);
        const uint32_t last = dd_lanes(in[hop], in[2 * hop]);
        const int32_t sum = dd_add_products(first, words[0], end->bias);
        *out = (int8_t)scaled_of(dd_add_high_high(last, words[1], sum), end);
        in += hop;
        out += hop;
    }
}

static void three_steps(const walk *of, const int8_t *at, uint32_t count, int8_t *out)
{
    const uint32_t *words = of->channels;
    for (uint32_t channel = 0; channel < count; channel++) {
        store_three(at + channel, of->layer->in_channels, words, out + channel);
        words += of->words;
    }
}

#endif

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
    const uint32_t channels = layer->out_channels;
    const uint32_t fast = layer->doubles && layer->filters == 1 ? channels / 4u * 4u : 0;
    const bool by_three =
        fast != 0 && layer->kernel == 3 && layer->stride == 1 && layer->dilation == 1;
    const int32_t span = (layer->kernel - 1) * layer->dilation;
    int32_t begin = (int32_t)(first * layer->stride) - layer->pad_before - in->begin;
    while (steps != 0) {
        const bool inside = begin >= 0 && begin + span < (int32_t)of.steps;
        const bool three = by_three && steps >= 3 && begin >= 0 && begin + 5 <= (int32_t)of.steps;
        const uint32_t now = three ? 3u : 1u;
        const int8_t *const at = in->values + (inside ? (uint32_t)begin : 0u) * layer->in_channels;
        if (three) {
            three_steps(&of, at, fast, out);
        } else if (inside) {
            inner_step(&of, at, fast, out);
        } else {
            border_step(&of, begin, fast, out);
        }
        for (uint32_t step = 0; step < now; step++) {
            rest_of_step(&of, fast, begin, out);
            finish_step(&of, fast, out);
            begin += layer->stride;
            out += channels;
        }
        steps -= now;
    }
}

#endif
