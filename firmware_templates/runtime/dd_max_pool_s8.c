#include "dd_max_pool_s8.h"

#include "dd_dot.h" /* which kernels */
#include "dd_pool_windows.h"
#include "dd_simd.h"

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

/* Sixteen channels at a time, or what is left of them. */
static void max_windows(const dd_windows *of, uint32_t channels, int8_t *out)
{
    for (uint32_t c = 0; c < channels; c += 16u) {
        const mve_pred16_t active = vctp8q(channels - c);
        const int8_t *window = of->values + c;
        int8_t *to = out + c;
        for (uint32_t i = 0; i < of->count; i++) {
            const int8_t *at = window;
            int8x16_t most = vldrbq_z_s8(at, active);
            for (uint32_t k = 1; k < of->steps; k++) {
                at += channels;
                most = vmaxq_s8(most, vldrbq_z_s8(at, active));
            }
            vstrbq_p_s8(to, most, active);
            window += of->hop;
            to += channels;
        }
    }
}

#elif DD_KERNELS == DD_KERNELS_DSP

/* One channel. */
static void max_one(const dd_windows *of, uint32_t channels, uint32_t channel, int8_t *out)
{
    const int8_t *window = of->values + channel;
    int8_t *to = out + channel;
    for (uint32_t i = 0; i < of->count; i++) {
        const int8_t *at = window;
        int32_t most = *at;
        for (uint32_t k = 1; k < of->steps; k++) {
            at += channels;
            most = *at > most ? *at : most;
        }
        *to = (int8_t)most;
        window += of->hop;
        to += channels;
    }
}

/* Four or eight channels from `channel` on. `steps` stands in the windows as well: as a constant it
 * unrolls the loop over them. */
static inline void max_words(const dd_windows *of, uint32_t steps, uint32_t channels,
                             uint32_t channel, uint32_t words, int8_t *out)
{
    const int8_t *window = of->values + channel;
    int8_t *to = out + channel;
    for (uint32_t left = of->count; left != 0; left--) {
        const int8_t *at = window;
        uint32_t low = dd_four(at);
        uint32_t high = words == 2 ? dd_four(at + 4) : 0;
        for (uint32_t k = 1; k < steps; k++) {
            at += channels;
            low = dd_max_bytes(low, dd_four(at));
            high = words == 2 ? dd_max_bytes(high, dd_four(at + 4)) : 0;
        }
        dd_put_four(to, low);
        if (words == 2) {
            dd_put_four(to + 4, high);
        }
        window += of->hop;
        to += channels;
    }
}

static inline uint32_t max_most(const dd_windows *of, uint32_t steps, uint32_t channels,
                                int8_t *out)
{
    uint32_t c = 0;
    for (; c + 8u <= channels; c += 8u) {
        max_words(of, steps, channels, c, 2, out);
    }
    if (c + 4u <= channels) {
        max_words(of, steps, channels, c, 1, out);
        c += 4u;
    }
    return c;
}

/* Return how many channels were done. */
static uint32_t max_fours(const dd_windows *of, uint32_t channels, int8_t *out)
{
    if (of->steps == 2) {
        return max_most(of, 2, channels, out);
    }
    if (of->steps == 3) {
        return max_most(of, 3, channels, out);
    }
    return max_most(of, of->steps, channels, out);
}

static void max_windows(const dd_windows *of, uint32_t channels, int8_t *out)
{
    for (uint32_t c = max_fours(of, channels, out); c < channels; c++) {
        max_one(of, channels, c, out);
    }
}

#else

/* The larger of each two of `count` values. */
static void max_rows(const int8_t *a, const int8_t *b, uint32_t count, int8_t *out)
{
    for (uint32_t i = 0; i < count; i++) {
        out[i] = a[i] > b[i] ? a[i] : b[i];
    }
}

static void max_windows(const dd_windows *of, uint32_t channels, int8_t *out)
{
    const int8_t *window = of->values;
    for (uint32_t i = 0; i < of->count; i++) {
        const int8_t *at = window + (of->steps > 1 ? channels : 0);
        max_rows(window, at, channels, out);
        for (uint32_t k = 2; k < of->steps; k++) {
            at += channels;
            max_rows(out, at, channels, out);
        }
        window += of->hop;
        out += channels;
    }
}

#endif

void dd_max_pool_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                    uint32_t steps, int8_t *out)
{
    const dd_pool *const pool = params;
    int32_t begin = (int32_t)(first * pool->stride) - pool->before;
    int8_t *at = out;
    for (uint32_t left = steps; left != 0;) {
        const dd_windows windows = dd_pool_windows(pool, in, begin, left);
        max_windows(&windows, pool->channels, at);
        begin += (int32_t)(windows.count * pool->stride);
        at += windows.count * pool->channels;
        left -= windows.count;
    }
    dd_pool_finish(pool, table, out, steps);
}
