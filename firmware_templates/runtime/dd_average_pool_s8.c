#include "dd_average_pool_s8.h"

#include <stdbool.h>

#include "dd_pool_windows.h"
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

/* Eight channels at a time, or what is left of them; return how many were done. */
static uint32_t average_fours(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                              int8_t *out)
{
    const int32x4_t factor = vdupq_n_s32((int32_t)reciprocal);
    for (uint32_t c = 0; c < channels; c += 8u) {
        const mve_pred16_t there = vctp16q(channels - c);
        const int8_t *window = of->values + c;
        int8_t *to = out + c;
        for (uint32_t i = 0; i < of->count; i++) {
            const int8_t *at = window;
            int16x8_t sums = vldrbq_z_s16(at, there);
            for (uint32_t k = 1; k < of->steps; k++) {
                at += channels;
                sums = vaddq_s16(sums, vldrbq_z_s16(at, there));
            }
            const int32x4_t even = means_of(vmovlbq_s16(sums), factor);
            const int32x4_t odd = means_of(vmovltq_s16(sums), factor);
            vstrbq_p_s16(to, vmovntq_s32(vmovnbq_s32(sums, even), odd), there);
            window += of->hop;
            to += channels;
        }
    }
    return channels;
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

/* Sums of four channels: of bytes 0 and 2, and of bytes 1 and 3. */
typedef struct four_sums {
    uint32_t even;
    uint32_t odd;
} four_sums;

static inline four_sums add_four(four_sums sums, const int8_t *at)
{
    const uint32_t word = dd_load_word(at);
    sums.even = dd_add_even_bytes(sums.even, word);
    sums.odd = dd_add_odd_bytes(sums.odd, word);
    return sums;
}

static inline uint32_t means_of(four_sums sums, uint32_t reciprocal)
{
    const uint32_t evens =
        pair_of(mean_of_low(sums.even, reciprocal), mean_of_high(sums.even, reciprocal));
    const uint32_t odds =
        pair_of(mean_of_low(sums.odd, reciprocal), mean_of_high(sums.odd, reciprocal));
    uint32_t means;
    __asm("uxtb16 %0, %1, ror #8" : "=r"(means) : "r"(evens));
    return means | (odds & 0xFF00FF00u);
}

/* Four or eight channels. `steps` stands in the windows as well: as a constant it spares the loop
 * over them. */
static inline void average_words(const dd_windows *of, uint32_t steps, uint32_t reciprocal,
                                 uint32_t channels, uint32_t words, const int8_t *window,
                                 int8_t *to)
{
    for (uint32_t left = of->count; left != 0; left--) {
        const int8_t *at = window;
        four_sums low = {0, 0};
        four_sums high = {0, 0};
#pragma GCC unroll 4
        for (uint32_t k = 0; k < steps; k++) {
            low = add_four(low, at);
            high = words == 2 ? add_four(high, at + 4) : high;
            at += channels;
        }
        dd_store_word(to, means_of(low, reciprocal));
        if (words == 2) {
            dd_store_word(to + 4, means_of(high, reciprocal));
        }
        window += of->hop;
        to += channels;
    }
}

static inline void average_words_of_two(const dd_windows *of, uint32_t channels, uint32_t words,
                                        const int8_t *window, int8_t *to)
{
    for (uint32_t left = of->count; left != 0; left--) {
        const int8_t *const next = window + channels;
        dd_store_word(to, means_of_two(dd_load_word(window), dd_load_word(next)));
        if (words == 2) {
            dd_store_word(to + 4, means_of_two(dd_load_word(window + 4), dd_load_word(next + 4)));
        }
        window += of->hop;
        to += channels;
    }
}

static inline void average_some(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                                uint32_t words, const int8_t *window, int8_t *to)
{
    if (of->steps == 2) {
        average_words_of_two(of, channels, words, window, to);
    } else if (of->steps == 3) {
        average_words(of, 3, reciprocal, channels, words, window, to);
    } else {
        average_words(of, of->steps, reciprocal, channels, words, window, to);
    }
}

/* Return how many channels were done. */
static uint32_t average_fours(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                              int8_t *out)
{
    const uint32_t fine = 2u * reciprocal; /* smlaw drops 16 bits, which leaves 8 of 24 */
    uint32_t c = 0;
    for (; c + 8u <= channels; c += 8u) {
        average_some(of, fine, channels, 2, of->values + c, out + c);
    }
    if (c + 4u <= channels) {
        average_some(of, fine, channels, 1, of->values + c, out + c);
        c += 4u;
    }
    return c;
}

#else

static uint32_t average_fours(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                              int8_t *out)
{
    (void)of;
    (void)reciprocal;
    (void)channels;
    (void)out;
    return 0;
}

#endif

static void average_windows(const dd_windows *of, uint32_t reciprocal, uint32_t channels,
                            int8_t *out)
{
    uint32_t c = 0;
    if (of->steps <= DD_RECIPROCAL_STEPS) {
        c = average_fours(of, reciprocal, channels, out);
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
