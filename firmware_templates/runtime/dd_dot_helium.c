/* For the vector extension: sixteen products, and their sum, with one instruction. Windows are
 * packed as rows of bytes, one behind the other. */
#include "dd_dot.h"

#if DD_KERNELS == DD_KERNELS_HELIUM

#include <string.h>

#define GROUP 16u

static uint32_t row_bytes(uint32_t count)
{
    return (count + GROUP - 1u) / GROUP * GROUP;
}

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    int8_t *out = (int8_t *)windows;
    for (uint32_t step = 0; step < DD_TILE; step++) {
        memcpy(out, in, count);
        in += hop;
        out += row_bytes(count);
    }
}

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

/* One channel against four windows. */
static void dot_channel(const int8_t *windows, uint32_t count, const int8_t *weights, int32_t *sums)
{
    const uint32_t hop = row_bytes(count);
    const int8_t *const windows2 = windows + 2u * hop;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    for (uint32_t i = 0; i < count; i += GROUP) {
        const int8x16_t w = vldrbq_z_s8(weights + i, vctp8q(count - i));
        sum0 = vmladavaq_s8(sum0, vldrbq_s8(windows + i), w);
        sum1 = vmladavaq_s8(sum1, vldrbq_s8(windows + hop + i), w);
        sum2 = vmladavaq_s8(sum2, vldrbq_s8(windows2 + i), w);
        sum3 = vmladavaq_s8(sum3, vldrbq_s8(windows2 + hop + i), w);
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

#else

static void dot_channel(const int8_t *windows, uint32_t count, const int8_t *weights, int32_t *sums)
{
    for (uint32_t step = 0; step < DD_TILE; step++) {
        for (uint32_t i = 0; i < count; i++) {
            sums[step] += windows[i] * weights[i];
        }
        windows += row_bytes(count);
    }
}

#endif

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    const int8_t *const values = (const int8_t *)windows;
    const int8_t *weights = rows->weights;
    for (uint32_t channel = 0; channel < rows->channels; channel++) {
        if (!add) {
            memset(sums, 0, DD_TILE * sizeof *sums);
        }
        dot_channel(values, count, weights, sums);
        weights += rows->row_bytes;
        sums += DD_TILE;
    }
}

#endif
