/* For cores without long multiplications: each value of a window has a word of its own. */
#include "dd_dot.h"

#if DD_KERNELS == DD_KERNELS_PLAIN

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    for (uint32_t step = 0; step < DD_TILE; step++) {
        uint32_t *out = windows + step;
        for (uint32_t i = 0; i < count; i++) {
            *out = (uint32_t)(int32_t)in[i];
            out += DD_TILE;
        }
        in += hop;
    }
}

/* One channel; `weights` lie two apart. Nothing else fits the eight registers of a Cortex-M0. */
static void dot_channel(const int32_t *windows, const int32_t *end, const int8_t *weights,
                        int32_t *sums)
{
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    do {
        const int32_t weight = *weights;
        sum0 += windows[0] * weight;
        sum1 += windows[1] * weight;
        sum2 += windows[2] * weight;
        sum3 += windows[3] * weight;
        windows += DD_TILE;
        weights += 2;
    } while (windows != end);
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    const int32_t *const values = (const int32_t *)windows;
    const int32_t *const end = values + (uint32_t)DD_TILE * count;
    const int8_t *weights = rows->weights;
    for (uint32_t channel = 0; channel < rows->channels; channel += 2) {
        for (uint32_t one = 0; one < 2; one++) {
            for (uint32_t step = 0; step < DD_TILE && !add; step++) {
                sums[step] = 0;
            }
            dot_channel(values, end, weights + one, sums);
            sums += DD_TILE;
        }
        weights += 2u * rows->row_bytes;
    }
}

#endif
