#include "dd_max_pool_s8.h"

#include "dd_words.h"

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

static void max_window(dd_pooled window, uint32_t channels, int8_t *out)
{
    for (uint32_t c = 0; c < channels; c += 16u) {
        const mve_pred16_t there = vctp8q(channels - c);
        const int8_t *at = window.values + c;
        int8x16_t most = vldrbq_z_s8(at, there);
        for (uint32_t k = 1; k < window.steps; k++) {
            at += channels;
            most = vmaxq_s8(most, vldrbq_z_s8(at, there));
        }
        vstrbq_p_s8(out + c, most, there);
    }
}

#else

/* Channels [from, channels), one at a time. */
static void max_channels(dd_pooled window, uint32_t from, uint32_t channels, int8_t *out)
{
    for (uint32_t c = from; c < channels; c++) {
        const int8_t *at = window.values + c;
        int32_t most = *at;
        for (uint32_t k = 1; k < window.steps; k++) {
            at += channels;
            most = *at > most ? *at : most;
        }
        out[c] = (int8_t)most;
    }
}

#if DD_WORDS

/* Eight channels. */
static inline void max_eight(const int8_t *at, uint32_t steps, uint32_t hop, int8_t *out)
{
    uint32_t low = dd_load_word(at);
    uint32_t high = dd_load_word(at + 4);
    for (uint32_t k = 1; k < steps; k++) {
        at += hop;
        low = dd_max_bytes(low, dd_load_word(at));
        high = dd_max_bytes(high, dd_load_word(at + 4));
    }
    dd_store_word(out, low);
    dd_store_word(out + 4, high);
}

static inline void max_four(const int8_t *at, uint32_t steps, uint32_t hop, int8_t *out)
{
    uint32_t most = dd_load_word(at);
    for (uint32_t k = 1; k < steps; k++) {
        at += hop;
        most = dd_max_bytes(most, dd_load_word(at));
    }
    dd_store_word(out, most);
}

/* `steps` as well stands in the window: as a constant it unrolls the loop over them. */
static inline void max_words(dd_pooled window, uint32_t steps, uint32_t channels, int8_t *out)
{
    uint32_t c = 0;
    for (; c + 8u <= channels; c += 8u) {
        max_eight(window.values + c, steps, channels, out + c);
    }
    if (c + 4u <= channels) {
        max_four(window.values + c, steps, channels, out + c);
        c += 4u;
    }
    max_channels(window, c, channels, out);
}

static void max_window(dd_pooled window, uint32_t channels, int8_t *out)
{
    if (window.steps == 2) {
        max_words(window, 2, channels, out);
    } else if (window.steps == 3) {
        max_words(window, 3, channels, out);
    } else {
        max_words(window, window.steps, channels, out);
    }
}

#else

static void max_window(dd_pooled window, uint32_t channels, int8_t *out)
{
    max_channels(window, 0, channels, out);
}

#endif
#endif

void dd_max_pool_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                    uint32_t steps, int8_t *out)
{
    const dd_pool *const pool = params;
    int32_t begin = (int32_t)(first * pool->stride) - pool->before;
    int8_t *at = out;
    for (uint32_t step = 0; step < steps; step++) {
        max_window(dd_pool_window(pool, in, begin), pool->channels, at);
        begin += pool->stride;
        at += pool->channels;
    }
    dd_pool_finish(pool, table, out, steps * pool->channels);
}
