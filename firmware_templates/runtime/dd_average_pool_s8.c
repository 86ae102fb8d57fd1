#include "dd_average_pool_s8.h"

#include <stdbool.h>

#include "dd_dot.h" /* which kernels */
#include "dd_pool_windows.h"
#include "dd_simd.h"

/* sum / steps, ties away from zero. */
static inline int32_t mean_of(int32_t sum, uint32_t steps, uint32_t reciprocal)
{
    if (steps > DD_RECIPROCAL_STEPS) {
        const int32_t half = (int32_t)(steps / 2u);
        return (sum > 0 ? sum + half : sum - half) / (int32_t)steps;
    }
    const int32_t half = (int32_t)1 << (DD_RECIPROCAL_SHIFT - 1);
    return (sum * (int32_t)reciprocal + half) >> DD_RECIPROCAL_SHIFT;
}

/* One channel. */
static void average_one(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                        uint32_t channel, int8_t *out)
{
    const int8_t *window = of->values + channel;
    int8_t *to = out + channel;
    for (uint32_t i = 0; i < of->count; i++) {
        const int8_t *at = window;
        int32_t sum = 0;
        for (uint32_t k = 0; k < of->steps; k++) {
            sum += *at;
            at += channels;
        }
        *to = (int8_t)mean_of(sum, of->steps, reciprocal);
        window += of->hop;
        to += channels;
    }
}

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

/* Four sums' means; the multiplication keeps the upper half, rounded. */
static inline int32x4_t means_of(int32x4_t sums, int32x4_t reciprocal)
{
    return vrmulhq_s32(vshlq_n_s32(sums, 32 - DD_RECIPROCAL_SHIFT), reciprocal);
}

/* Windows of two steps, sixteen channels at a time: halves downward, and up again where the sum is
 * odd and positive. */
static void average_twos(const dd_windows *of, uint32_t channels, int8_t *out)
{
    const int8x16_t lowest_bit = vdupq_n_s8(1);
    for (uint32_t c = 0; c < channels; c += 16u) {
        const mve_pred16_t active = vctp8q(channels - c);
        const int8_t *window = of->values + c;
        int8_t *to = out + c;
        for (uint32_t i = 0; i < of->count; i++) {
            const int8x16_t a = vldrbq_z_s8(window, active);
            const int8x16_t b = vldrbq_z_s8(window + channels, active);
            const int8x16_t floors = vhaddq_s8(a, b);
            const int8x16_t odd = vandq_s8(veorq_s8(a, b), lowest_bit);
            const int8x16_t up = vbicq_s8(odd, vshrq_n_s8(floors, 7));
            vstrbq_p_s8(to, vaddq_s8(floors, up), active);
            window += of->hop;
            to += channels;
        }
    }
}

/* Eight channels at a time, or what is left of them; return how many were done. */
static uint32_t average_most(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                             int8_t *out)
{
    if (of->steps == 2) {
        average_twos(of, channels, out);
        return channels;
    }
    const int32x4_t factor = vdupq_n_s32((int32_t)reciprocal);
    for (uint32_t c = 0; c < channels; c += 8u) {
        const mve_pred16_t active = vctp16q(channels - c);
        const int8_t *window = of->values + c;
        int8_t *to = out + c;
        for (uint32_t i = 0; i < of->count; i++) {
            const int8_t *at = window;
            int16x8_t sums = vldrbq_z_s16(at, active);
            for (uint32_t k = 1; k < of->steps; k++) {
                at += channels;
                sums = vaddq_s16(sums, vldrbq_z_s16(at, active));
            }
            const int32x4_t even = means_of(vmovlbq_s16(sums), factor);
            const int32x4_t odd = means_of(vmovltq_s16(sums), factor);
            vstrbq_p_s16(to, vmovntq_s32(vmovnbq_s32(sums, even), odd), active);
            window += of->hop;
            to += channels;
        }
    }
    return channels;
}

#elif DD_KERNELS == DD_KERNELS_DSP

#define EACH_BYTE 0x01010101u

/* The means of two values each, four at a time: halves downward, and up again where the sum is odd
 * and positive. */
static inline uint32_t means_of_two(uint32_t a, uint32_t b)
{
    const uint32_t floors = dd_half_sums(a, b);
    return floors + ((a ^ b) & EACH_BYTE & ~(floors >> 7));
}

/* Half of one, as dd_scale_low leaves 8 bits behind the point. */
#define HALF      128

static inline uint32_t means_of(dd_four_sums sums, int32_t factor)
{
    const uint32_t even = dd_lower_halves((uint32_t)dd_scale_low(factor, sums.even, HALF),
                                          (uint32_t)dd_scale_high(factor, sums.even, HALF));
    const uint32_t odd = dd_lower_halves((uint32_t)dd_scale_low(factor, sums.odd, HALF),
                                         (uint32_t)dd_scale_high(factor, sums.odd, HALF));
    return dd_upper_bytes(even, odd);
}

static inline void average_words_of_two(const dd_windows *of, uint32_t channels, uint32_t words,
                                        const int8_t *window, int8_t *to)
{
    for (uint32_t left = of->count; left != 0; left--) {
        const int8_t *const next = window + channels;
        dd_put_four(to, means_of_two(dd_four(window), dd_four(next)));
        if (words == 2) {
            dd_put_four(to + 4, means_of_two(dd_four(window + 4), dd_four(next + 4)));
        }
        window += of->hop;
        to += channels;
    }
}

/* The means of four channels over three steps. */
static inline uint32_t means_of_three(const int8_t *at, uint32_t channels, int32_t factor)
{
    const dd_four_sums none = {0, 0};
    const dd_four_sums two = dd_add_four(dd_add_four(none, at), at + channels);
    return means_of(dd_add_four(two, at + 2u * channels), factor);
}

static inline void average_words_of_three(const dd_windows *of, int32_t factor, uint32_t channels,
                                          uint32_t words, const int8_t *window, int8_t *to)
{
    for (uint32_t left = of->count; left != 0; left--) {
        dd_put_four(to, means_of_three(window, channels, factor));
        if (words == 2) {
            dd_put_four(to + 4, means_of_three(window + 4, channels, factor));
        }
        window += of->hop;
        to += channels;
    }
}

static inline void average_words_of_any(const dd_windows *of, int32_t factor, uint32_t channels,
                                        uint32_t words, const int8_t *window, int8_t *to)
{
    for (uint32_t left = of->count; left != 0; left--) {
        const int8_t *at = window;
        dd_four_sums low = {0, 0};
        dd_four_sums high = {0, 0};
#pragma GCC unroll 4
        for (uint32_t k = 0; k < of->steps; k++) {
            low = dd_add_four(low, at);
            high = words == 2 ? dd_add_four(high, at + 4) : high;
            at += channels;
        }
        dd_put_four(to, means_of(low, factor));
        if (words == 2) {
            dd_put_four(to + 4, means_of(high, factor));
        }
        window += of->hop;
        to += channels;
    }
}

/* Four or eight channels; `steps` is 2 or 3, or 0 for any number of them. */
static inline void average_words(const dd_windows *of, uint32_t steps, int32_t factor,
                                 uint32_t channels, uint32_t words, const int8_t *window,
                                 int8_t *to)
{
    if (steps == 2) {
        average_words_of_two(of, channels, words, window, to);
    } else if (steps == 3) {
        average_words_of_three(of, factor, channels, words, window, to);
    } else {
        average_words_of_any(of, factor, channels, words, window, to);
    }
}

/* Return how many channels were done. */
static inline uint32_t average_fours(const dd_windows *of, uint32_t steps, int32_t factor,
                                     uint32_t channels, int8_t *out)
{
    uint32_t c = 0;
    for (; c + 8u <= channels; c += 8u) {
        average_words(of, steps, factor, channels, 2, of->values + c, out + c);
    }
    if (c + 4u <= channels) {
        average_words(of, steps, factor, channels, 1, of->values + c, out + c);
        c += 4u;
    }
    return c;
}

static uint32_t average_most(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                             int8_t *out)
{
    const int32_t factor = (int32_t)(2u * reciprocal); /* in units of 2^-24 */
    if (of->steps == 2) {
        return average_fours(of, 2, factor, channels, out);
    }
    if (of->steps == 3) {
        return average_fours(of, 3, factor, channels, out);
    }
    return average_fours(of, 0, factor, channels, out);
}

#else

/* Windows of two steps: as each pair of a row and its next. Return how many channels were done. */
static uint32_t average_most(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                             int8_t *out)
{
    if (of->steps != 2) {
        return 0;
    }
    const int8_t *window = of->values;
    for (uint32_t i = 0; i < of->count; i++) {
        const int8_t *const next = window + channels;
        for (uint32_t c = 0; c < channels; c++) {
            out[c] = (int8_t)mean_of(window[c] + next[c], 2, reciprocal);
        }
        window += of->hop;
        out += channels;
    }
    return channels;
}

#endif

static void average_windows(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                            int8_t *out)
{
    uint32_t c = 0;
    if (of->steps <= DD_RECIPROCAL_STEPS) {
        c = average_most(of, reciprocal, channels, out);
    }
    for (; c < channels; c++) {
        average_one(of, reciprocal, channels, c, out);
    }
}

void dd_average_pool_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                        uint32_t steps, int8_t *out)
{
    const dd_pool *const pool = params;
    int32_t begin = (int32_t)(first * pool->stride) - pool->before;
    int8_t *at = out;
    for (uint32_t left = steps; left != 0;) {
        const dd_windows windows = dd_pool_windows(pool, in, begin, left);
        const bool whole = windows.steps == pool->kernel;
        /* A division at the borders alone: not every core has one. */
        const uint32_t reciprocal = whole ? pool->reciprocal : DD_RECIPROCAL(windows.steps);
        average_windows(&windows, reciprocal, pool->channels, at);
        begin += (int32_t)(windows.count * pool->stride);
        at += windows.count * pool->channels;
        left -= windows.count;
    }
    dd_pool_finish(pool, table, out, steps);
}
