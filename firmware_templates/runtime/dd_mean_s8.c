#include "dd_mean_s8.h"

#include <stddef.h>
#include <string.h>

#include "dd_dot.h" /* which kernels */
#include "dd_lookup_s8.h"
#include "dd_requant.h"
#include "dd_simd.h"

/* One channel after the other. */
static void sum_channels(const dd_reduce *of, const int8_t *values, uint32_t channels,
                         uint32_t count, int32_t *sums)
{
    for (uint32_t c = 0; c < channels; c++) {
        const int8_t *at = values + c * of->next;
        int32_t sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            sum += *at;
            at += of->hop;
        }
        sums[c] += sum;
    }
}

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

/* Channels side by side, four at a time. */
static void sum_neighbours(const dd_reduce *of, const int8_t *values, uint32_t channels,
                           uint32_t count, int32_t *sums)
{
    for (uint32_t c = 0; c < channels; c += 4u) {
        const mve_pred16_t active = vctp32q(channels - c);
        const int8_t *at = values + c;
        int32x4_t sum = vldrwq_z_s32(sums + c, active);
        for (uint32_t i = 0; i < count; i++) {
            sum = vaddq_s32(sum, vldrbq_z_s32(at, active));
            at += of->hop;
        }
        vstrwq_p_s32(sums + c, sum, active);
    }
}

#elif DD_KERNELS == DD_KERNELS_DSP

#define PAIRS_MAX 256u /* values that fit an int16 sum: 256 x -128 does */

static void keep_four(dd_four_sums from, int32_t *sums)
{
    sums[0] += (int16_t)(from.even & 0xFFFFu);
    sums[1] += (int16_t)(from.odd & 0xFFFFu);
    sums[2] += (int16_t)(from.even >> 16);
    sums[3] += (int16_t)(from.odd >> 16);
}

/* Four or eight channels side by side, as many values as fit. */
static inline const int8_t *sum_words(const int8_t *at, uint32_t hop, uint32_t count,
                                      uint32_t words, int32_t *sums)
{
    dd_four_sums low = {0, 0};
    dd_four_sums high = {0, 0};
    for (uint32_t left = count; left != 0; left--) {
        low = dd_add_four(low, at);
        high = words == 2 ? dd_add_four(high, at + 4) : high;
        at += hop;
    }
    keep_four(low, sums);
    if (words == 2) {
        keep_four(high, sums + 4);
    }
    return at;
}

/* Channels side by side. */
static void sum_neighbours(const dd_reduce *of, const int8_t *values, uint32_t channels,
                           uint32_t count, int32_t *sums)
{
    uint32_t c = 0;
    while (c + 4u <= channels) {
        const uint32_t words = c + 8u <= channels ? 2 : 1;
        const int8_t *at = values + c;
        for (uint32_t begin = 0; begin < count; begin += PAIRS_MAX) {
            const uint32_t now = dd_at_most(count - begin, PAIRS_MAX);
            at = words == 2 ? sum_words(at, of->hop, now, 2, sums + c)
                            : sum_words(at, of->hop, now, 1, sums + c);
        }
        c += 4u * words;
    }
    sum_channels(of, values + c, channels - c, count, sums + c);
}

#else

static void sum_neighbours(const dd_reduce *of, const int8_t *values, uint32_t channels,
                           uint32_t count, int32_t *sums)
{
    sum_channels(of, values, channels, count, sums);
}

#endif

void dd_mean_take(const dd_reduce *of, const int8_t *values, uint32_t channels, uint32_t count,
                  int32_t *sums)
{
    if (of->next == 1) {
        sum_neighbours(of, values, channels, count, sums);
    } else {
        sum_channels(of, values, channels, count, sums);
    }
}

void dd_mean_finish(const dd_reduce *of, const int32_t *sums, uint32_t channels, int8_t *out)
{
    for (uint32_t c = 0; c < channels; c++) {
        const int32_t scaled = dd_requantize(dd_add(sums[c], of->bias), of->multiplier, of->shift);
        out[c] = (int8_t)dd_clamp(dd_add(scaled, of->out_zero_point), INT8_MIN, INT8_MAX);
    }
}

static void mean_step(const dd_reduce *of, const int8_t *values, int8_t *out)
{
    int32_t sums[DD_REDUCE_BLOCK];
    for (uint32_t c = 0; c < of->channels; c += DD_REDUCE_BLOCK) {
        const uint32_t channels = dd_at_most(of->channels - c, DD_REDUCE_BLOCK);
        memset(sums, 0, sizeof sums);
        dd_mean_take(of, values + c * of->next, channels, of->count, sums);
        dd_mean_finish(of, sums, channels, out + c);
    }
}

void dd_mean_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                uint32_t steps, int8_t *out)
{
    const dd_reduce *const of = params;
    for (uint32_t step = 0; step < steps; step++) {
        mean_step(of, dd_reduce_begin(of, in, first + step), out + step * of->channels);
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, steps * of->channels);
    }
}
