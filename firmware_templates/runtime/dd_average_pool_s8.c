#include "dd_average_pool_s8.h"

#include <stdbool.h>

#include "dd_words.h"

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

/* Channels [from, channels), one at a time. */
static void average_channels(dd_pooled window, uint32_t reciprocal, uint32_t from,
                             uint32_t channels, int8_t *out)
{
    for (uint32_t c = from; c < channels; c++) {
        const int8_t *at = window.values + c;
        int32_t sum = 0;
        for (uint32_t k = 0; k < window.steps; k++) {
            sum += *at;
            at += channels;
        }
        out[c] = (int8_t)mean_of(sum, window.steps, reciprocal);
    }
}

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

/* Four sums' means; the multiplication keeps the upper half, rounded. */
static inline int32x4_t means_of(int32x4_t sums, int32x4_t reciprocal)
{
    return vrmulhq_s32(vshlq_n_s32(sums, 32 - DD_RECIPROCAL_SHIFT), reciprocal);
}

static void average_window(dd_pooled window, uint32_t reciprocal, uint32_t channels, int8_t *out)
{
    if (window.steps > DD_RECIPROCAL_STEPS) {
        average_channels(window, reciprocal, 0, channels, out);
        return;
    }
    const int32x4_t factor = vdupq_n_s32((int32_t)reciprocal);
    for (uint32_t c = 0; c < channels; c += 8u) {
        const mve_pred16_t there = vctp16q(channels - c);
        const int8_t *at = window.values + c;
        int16x8_t sums = vldrbq_z_s16(at, there);
        for (uint32_t k = 1; k < window.steps; k++) {
            at += channels;
            sums = vaddq_s16(sums, vldrbq_z_s16(at, there));
        }
        const int32x4_t even = means_of(vmovlbq_s16(sums), factor);
        const int32x4_t odd = means_of(vmovltq_s16(sums), factor);
        const int16x8_t means = vmovntq_s32(vmovnbq_s32(sums, even), odd);
        vstrbq_p_s16(out + c, means, there);
    }
}

#elif DD_WORDS

#define EACH_BYTE 0x01010101u

/* The means of two values each, four at a time: halves downward, and up again where the sum is odd
 * and positive. */
static inline uint32_t means_of_two(uint32_t a, uint32_t b)
{
    uint32_t floors;
    __asm("shadd8 %0, %1, %2" : "=r"(floors) : "r"(a), "r"(b));
    return floors + ((a ^ b) & EACH_BYTE & ~(floors >> 7));
}

/* One of a word's two int16 sums, over the number of steps, in units of 1/256. */
static inline uint32_t mean_of_low(uint32_t sums, uint32_t reciprocal)
{
    uint32_t result;
    __asm("smlawb %0, %1, %2, %3" : "=r"(result) : "r"(reciprocal), "r"(sums), "r"(128u));
    return result;
}

static inline uint32_t mean_of_high(uint32_t sums, uint32_t reciprocal)
{
    uint32_t result;
    __asm("smlawt %0, %1, %2, %3" : "=r"(result) : "r"(reciprocal), "r"(sums), "r"(128u));
    return result;
}

/* Two results side by side. */
static inline uint32_t pair_of(uint32_t low, uint32_t high)
{
    uint32_t result;
    __asm("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(low), "r"(high));
    return result;
}

/* Four means, of the sums of bytes 0 and 2 and of bytes 1 and 3. */
static inline uint32_t means_of(uint32_t even, uint32_t odd, uint32_t reciprocal)
{
    const uint32_t evens = pair_of(mean_of_low(even, reciprocal), mean_of_high(even, reciprocal));
    const uint32_t odds = pair_of(mean_of_low(odd, reciprocal), mean_of_high(odd, reciprocal));
    return ((evens >> 8) & 0x00FF00FFu) | (odds & 0xFF00FF00u);
}

static inline void average_four(const int8_t *at, uint32_t steps, uint32_t hop, uint32_t reciprocal,
                                int8_t *out)
{
    uint32_t even = 0;
    uint32_t odd = 0;
    for (uint32_t k = 0; k < steps; k++) {
        const uint32_t word = dd_load_word(at);
        even = dd_add_even_bytes(even, word);
        odd = dd_add_odd_bytes(odd, word);
        at += hop;
    }
    dd_store_word(out, means_of(even, odd, reciprocal));
}

/* `steps` as well stands in the window: as a constant it unrolls the loop over them. */
static inline void average_words(dd_pooled window, uint32_t steps, uint32_t reciprocal,
                                 uint32_t channels, int8_t *out)
{
    const uint32_t fine = 2u * reciprocal; /* smlaw drops 16 bits, which leaves 8 of 24 */
    uint32_t c = 0;
    for (; c + 4u <= channels; c += 4u) {
        average_four(window.values + c, steps, channels, fine, out + c);
    }
    average_channels(window, reciprocal, c, channels, out);
}

static void average_two(dd_pooled window, uint32_t reciprocal, uint32_t channels, int8_t *out)
{
    const int8_t *const next = window.values + channels;
    uint32_t c = 0;
    for (; c + 4u <= channels; c += 4u) {
        const uint32_t a = dd_load_word(window.values + c);
        dd_store_word(out + c, means_of_two(a, dd_load_word(next + c)));
    }
    average_channels(window, reciprocal, c, channels, out);
}

static void average_window(dd_pooled window, uint32_t reciprocal, uint32_t channels, int8_t *out)
{
    if (window.steps > DD_RECIPROCAL_STEPS) {
        average_channels(window, reciprocal, 0, channels, out);
    } else if (window.steps == 2) {
        average_two(window, reciprocal, channels, out);
    } else if (window.steps == 3) {
        average_words(window, 3, reciprocal, channels, out);
    } else if (window.steps == 4) {
        average_words(window, 4, reciprocal, channels, out);
    } else {
        average_words(window, window.steps, reciprocal, channels, out);
    }
}

#else

static void average_window(dd_pooled window, uint32_t reciprocal, uint32_t channels, int8_t *out)
{
    average_channels(window, reciprocal, 0, channels, out);
}

#endif

void dd_average_pool_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                        uint32_t steps, int8_t *out)
{
    const dd_pool *const pool = params;
    int32_t begin = (int32_t)(first * pool->stride) - pool->before;
    int8_t *at = out;
    for (uint32_t step = 0; step < steps; step++) {
        const dd_pooled window = dd_pool_window(pool, in, begin);
        const bool whole = window.steps == pool->kernel;
        /* A division at the borders alone: not every core has one. */
        const uint32_t reciprocal = whole ? pool->reciprocal : DD_RECIPROCAL(window.steps);
        average_window(window, reciprocal, pool->channels, at);
        begin += pool->stride;
        at += pool->channels;
    }
    dd_pool_finish(pool, table, out, steps * pool->channels);
}
