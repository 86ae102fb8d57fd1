#include "dd_extreme_s8.h"

#include <stddef.h>
#include <string.h>

#include "dd_dot.h" /* which kernels */
#include "dd_lookup_s8.h"
#include "dd_simd.h"

/* The smallest is the largest of the complements: ~x is -1 - x, which turns the order around. */

/* One channel after the other. */
static void take_channels(const dd_reduce *of, const int8_t *values, uint32_t channels,
                          uint32_t count, int8_t *extremes)
{
    for (uint32_t c = 0; c < channels; c++) {
        const int8_t *at = values + c * of->next;
        int32_t most = extremes[c];
        for (uint32_t i = 0; i < count; i++) {
            const int32_t value = *at ^ of->flip;
            most = value > most ? value : most;
            at += of->hop;
        }
        extremes[c] = (int8_t)most;
    }
}

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

/* Channels side by side, sixteen at a time. */
static void take_neighbours(const dd_reduce *of, const int8_t *values, uint32_t channels,
                            uint32_t count, int8_t *extremes)
{
    const int8x16_t flip = vdupq_n_s8(of->flip);
    for (uint32_t c = 0; c < channels; c += 16u) {
        const mve_pred16_t active = vctp8q(channels - c);
        const int8_t *at = values + c;
        int8x16_t most = vldrbq_z_s8(extremes + c, active);
        for (uint32_t i = 0; i < count; i++) {
            most = vmaxq_s8(most, veorq_s8(vldrbq_z_s8(at, active), flip));
            at += of->hop;
        }
        vstrbq_p_s8(extremes + c, most, active);
    }
}

#elif DD_KERNELS == DD_KERNELS_DSP

/* Four or eight channels side by side. */
static inline void take_words(const dd_reduce *of, const int8_t *at, uint32_t count, uint32_t words,
                              int8_t *extremes)
{
    const uint32_t flip = (uint32_t)(int32_t)of->flip;
    const uint32_t hop = of->hop;
    uint32_t low = dd_four(extremes);
    uint32_t high = words == 2 ? dd_four(extremes + 4) : 0;
    for (uint32_t left = count; left != 0; left--) {
        low = dd_max_bytes(low, dd_four(at) ^ flip);
        high = words == 2 ? dd_max_bytes(high, dd_four(at + 4) ^ flip) : 0;
        at += hop;
    }
    dd_put_four(extremes, low);
    if (words == 2) {
        dd_put_four(extremes + 4, high);
    }
}

/* Channels side by side. */
static void take_neighbours(const dd_reduce *of, const int8_t *values, uint32_t channels,
                            uint32_t count, int8_t *extremes)
{
    uint32_t c = 0;
    for (; c + 8u <= channels; c += 8u) {
        take_words(of, values + c, count, 2, extremes + c);
    }
    if (c + 4u <= channels) {
        take_words(of, values + c, count, 1, extremes + c);
        c += 4u;
    }
    take_channels(of, values + c, channels - c, count, extremes + c);
}

#else

static void take_neighbours(const dd_reduce *of, const int8_t *values, uint32_t channels,
                            uint32_t count, int8_t *extremes)
{
    take_channels(of, values, channels, count, extremes);
}

#endif

void dd_extreme_take(const dd_reduce *of, const int8_t *values, uint32_t channels, uint32_t count,
                     int8_t *extremes)
{
    if (of->next == 1) {
        take_neighbours(of, values, channels, count, extremes);
    } else {
        take_channels(of, values, channels, count, extremes);
    }
}

void dd_extreme_finish(const dd_reduce *of, const int8_t *extremes, uint32_t channels, int8_t *out)
{
    for (uint32_t c = 0; c < channels; c++) {
        out[c] = (int8_t)(extremes[c] ^ of->flip);
    }
}

static void extreme_step(const dd_reduce *of, const int8_t *values, int8_t *out)
{
    int8_t extremes[DD_REDUCE_BLOCK];
    for (uint32_t c = 0; c < of->channels; c += DD_REDUCE_BLOCK) {
        const uint32_t channels = dd_at_most(of->channels - c, DD_REDUCE_BLOCK);
        memset(extremes, INT8_MIN, sizeof extremes);
        dd_extreme_take(of, values + c * of->next, channels, of->count, extremes);
        dd_extreme_finish(of, extremes, channels, out + c);
    }
}

void dd_extreme_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                   uint32_t steps, int8_t *out)
{
    const dd_reduce *const of = params;
    for (uint32_t step = 0; step < steps; step++) {
        extreme_step(of, dd_reduce_begin(of, in, first + step), out + step * of->channels);
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, steps * of->channels);
    }
}
