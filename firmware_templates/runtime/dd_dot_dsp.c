/* For the DSP extension: two int16 values share a word, and one instruction multiplies and adds
 * both. The weights stay int8 in flash; a word of them, u0 v0 u1 v1 of two channels u and v, widens
 * to both channels' pairs of int16 with one instruction each.
 *
 * Six sums, two channels' weights, three windows, two pointers and the end are all the registers
 * that there are. The compiler spills some of them, hence the assembly; it counts 40 instructions
 * for 48 products. */
#include "dd_dot.h"

#if DD_KERNELS == DD_KERNELS_DSP

#include <string.h>

#define UNROLL 4u /* pairs of values */

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define DD_ASSEMBLY 1
#include <arm_acle.h>
#else
#define DD_ASSEMBLY 0
#endif

static uint32_t pair_of(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

#if DD_ASSEMBLY
static const int8_t *pack_fours(const int8_t *in, uint32_t fours, uint32_t *out)
{
    for (; fours != 0; fours--) {
        uint32_t four = 0;
        memcpy(&four, in, sizeof four);
        const uint32_t even = (uint32_t)__sxtb16((int8x4_t)four);
        const uint32_t odd = (uint32_t)__sxtb16((int8x4_t)(four >> 8 | four << 24));
        out[0] = (even & 0xFFFFu) | odd << 16;
        out[DD_TILE] = even >> 16 | (odd & 0xFFFF0000u);
        in += 4;
        out += 2 * DD_TILE;
    }
    return in;
}
#endif

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    for (uint32_t step = 0; step < DD_TILE; step++) {
        uint32_t *out = windows + step;
        const int8_t *at = in + step * hop;
        uint32_t left = count;
#if DD_ASSEMBLY
        at = pack_fours(at, count / 4u, out);
        out += count / 4u * 2u * DD_TILE;
        left = count % 4u;
#endif
        for (; left >= 2; left -= 2) {
            *out = pair_of(at[0], at[1]);
            at += 2;
            out += DD_TILE;
        }
        if (left != 0) {
            *out = pair_of(at[0], 0);
        }
    }
}

#if DD_ASSEMBLY

#define STEP                              \
    "ldr %[u], [%[weights]], #4\n\t"      \
    "ldm %[windows]!, {r0, r1, r2}\n\t"   \
    "sxtb16 %[v], %[u], ror #8\n\t"       \
    "sxtb16 %[u], %[u]\n\t"               \
    "smlad %[s0], r0, %[u], %[s0]\n\t"    \
    "smlad %[s1], r1, %[u], %[s1]\n\t"    \
    "smlad %[s2], r2, %[u], %[s2]\n\t"    \
    "smlad %[s3], r0, %[v], %[s3]\n\t"    \
    "smlad %[s4], r1, %[v], %[s4]\n\t"    \
    "smlad %[s5], r2, %[v], %[s5]\n\t"

__attribute__((noinline)) static void dot_pair(const uint32_t *windows, uint32_t pairs,
                                               const int8_t *weights, int32_t *sums)
{
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];
    int32_t s4 = sums[4];
    int32_t s5 = sums[5];
    uint32_t u;
    uint32_t v;
    const uint32_t *end = windows + pairs / UNROLL * UNROLL * DD_TILE;
    if (windows != end) {
        __asm volatile("1:\n\t" STEP STEP STEP STEP "cmp %[windows], %[end]\n\t"
                       "bne 1b"
                       : [windows] "+r"(windows), [weights] "+r"(weights), [s0] "+r"(s0),
                         [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [s4] "+r"(s4), [s5] "+r"(s5),
                         [u] "=&r"(u), [v] "=&r"(v)
                       : [end] "r"(end)
                       : "r0", "r1", "r2", "cc", "memory");
    }
    for (uint32_t left = pairs % UNROLL; left != 0; left--) {
        __asm volatile(STEP
                       : [windows] "+r"(windows), [weights] "+r"(weights), [s0] "+r"(s0),
                         [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [s4] "+r"(s4), [s5] "+r"(s5),
                         [u] "=&r"(u), [v] "=&r"(v)
                       :
                       : "r0", "r1", "r2", "cc", "memory");
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
    sums[4] = s4;
    sums[5] = s5;
}

#else

static int32_t low_half(uint32_t pair)
{
    return (int16_t)(pair & 0xFFFFu);
}

static int32_t high_half(uint32_t pair)
{
    return (int16_t)(pair >> 16);
}

static void dot_pair(const uint32_t *windows, uint32_t pairs, const int8_t *weights, int32_t *sums)
{
    for (uint32_t i = 0; i < pairs; i++) {
        for (uint32_t step = 0; step < DD_TILE; step++) {
            const int32_t low = low_half(windows[step]);
            const int32_t high = high_half(windows[step]);
            sums[step] += low * weights[0] + high * weights[2];
            sums[DD_TILE + step] += low * weights[1] + high * weights[3];
        }
        windows += DD_TILE;
        weights += 4;
    }
}

#endif

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    const int8_t *weights = rows->weights;
    for (uint32_t channel = 0; channel < rows->channels; channel += 2) {
        if (!add) {
            memset(sums, 0, 2 * DD_TILE * sizeof *sums);
        }
        dot_pair(windows, (count + 1u) / 2u, weights, sums);
        weights += 2u * rows->row_bytes;
        sums += 2 * DD_TILE;
    }
}

#endif
