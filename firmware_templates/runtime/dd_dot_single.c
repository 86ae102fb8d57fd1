#include "dd_dot_single.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#if DD_KERNELS == DD_KERNELS_DSP

/* Two int16 values share a word, as in dd_dot_dsp.c. A word of weights, u0 v0 u1 v1 of two
 * channels, is two int16 numbers as well: with 128 added to u, each is 256 v + (u + 128). One
 * instruction takes the lower bytes out, one multiplies these and one the whole numbers; widening
 * both channels would be one more. */
/* As much as three parts of the other kernels, as far as the sums of the whole numbers fit. */
#define PART  (DD_PART < 160u ? 3u * DD_PART : 480u)
#define GROUP 4u /* values */

static_assert(128ull * 32768ull * PART < (1ull << 31), "the sums of the whole numbers must fit");
static_assert(PART % GROUP == 0, "a part ends with a group");

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define DD_ASSEMBLY 1
#else
#define DD_ASSEMBLY 0
#endif

/* The values of one part, and their sum. */
typedef struct part {
    uint32_t pairs[PART / 2u];
    uint32_t count; /* of pairs, rounded up to whole groups */
    int32_t sum;
} part;

static void pack(const int8_t *in, uint32_t count, part *to)
{
    uint32_t *out = to->pairs;
    int32_t sum = 0;
    to->count = (count + GROUP - 1u) / GROUP * (GROUP / 2u);
    for (uint32_t left = to->count; left != 0; left--) {
        const int32_t low = count > 0 ? in[0] : 0;
        const int32_t high = count > 1 ? in[1] : 0;
        *out++ = ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
        sum += low + high;
        in += 2;
        count -= count > 1 ? 2u : count;
    }
    to->sum = sum;
}

/* The sums of the lower bytes and of the whole numbers. */
typedef struct pair_sums {
    int32_t lower;
    int32_t whole;
} pair_sums;

#if DD_ASSEMBLY

#define PAIR(value, weight)                               \
    "smlad %[whole], " value ", " weight ", %[whole]\n\t" \
    "uxtb16 " weight ", " weight "\n\t"                   \
    "smlad %[lower], " value ", " weight ", %[lower]\n\t"
#define FOUR_PAIRS                                                                        \
    "ldm %[values]!, {r0-r3}\n\t"                                                         \
    "ldm %[weights]!, {r4-r6, r8}\n\t" PAIR("r0", "r4") PAIR("r1", "r5") PAIR("r2", "r6") \
        PAIR("r3", "r8")

static pair_sums dot_pair(const part *of, const int8_t *weights)
{
    const uint32_t *values = of->pairs;
    const uint32_t *const whole_end = values + of->count / 8u * 8u;
    const uint32_t *const end = values + of->count;
    pair_sums sums = {0, 0};
    while (values != whole_end) {
        __asm volatile(FOUR_PAIRS FOUR_PAIRS
                       : [values] "+r"(values), [weights] "+r"(weights), [lower] "+r"(sums.lower),
                         [whole] "+r"(sums.whole)
                       :
                       : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "memory");
    }
    while (values != end) {
        __asm volatile("ldm %[values]!, {r0, r1}\n\t"
                       "ldm %[weights]!, {r4, r5}\n\t" PAIR("r0", "r4") PAIR("r1", "r5")
                       : [values] "+r"(values), [weights] "+r"(weights), [lower] "+r"(sums.lower),
                         [whole] "+r"(sums.whole)
                       :
                       : "r0", "r1", "r4", "r5", "memory");
    }
    return sums;
}

#else

static pair_sums dot_pair(const part *of, const int8_t *weights)
{
    pair_sums sums = {0, 0};
    for (uint32_t i = 0; i < of->count; i++) {
        for (uint32_t half = 0; half < 2; half++) {
            const int32_t value = (int16_t)(of->pairs[i] >> (16u * half) & 0xFFFFu);
            const int32_t lower = (uint8_t)weights[0];
            sums.lower += value * lower;
            sums.whole += value * (256 * weights[1] + lower);
            weights += 2;
        }
    }
    return sums;
}

#endif

static void dot_part(const part *of, const int8_t *weights, uint32_t pair_bytes, uint32_t channels,
                     int32_t *sums)
{
    for (uint32_t channel = 0; channel < channels; channel += 2) {
        const pair_sums pair = dot_pair(of, weights);
        sums[0] += pair.lower - 128 * of->sum;
        sums[1] += (pair.whole - pair.lower) / 256;
        weights += pair_bytes;
        sums += 2;
    }
}

void dd_dot_single(const int8_t *in, uint32_t count, const int8_t *weights, uint32_t channels,
                   int32_t *sums)
{
    const uint32_t pair_bytes = 2u * DD_SINGLE_BYTES(count);
    part values;
    memset(sums, 0, (channels + 1u) / 2u * 2u * sizeof *sums);
    while (count != 0) {
        const uint32_t now = count < PART ? count : PART;
        pack(in, now, &values);
        dot_part(&values, weights, pair_bytes, channels, sums);
        in += now;
        weights += 2u * now;
        count -= now;
    }
}

#else

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

#define GROUP 16u

static void dot_four(const int8_t *in, uint32_t count, const int8_t *weights, uint32_t row,
                     int32_t *sums)
{
    int32_t sum0 = 0;
    int32_t sum1 = 0;
    int32_t sum2 = 0;
    int32_t sum3 = 0;
    for (uint32_t i = 0; i < count; i += GROUP) {
        const int8x16_t values = vldrbq_z_s8(in + i, vctp8q(count - i));
        sum0 = vmladavaq_s8(sum0, values, vldrbq_s8(weights));
        sum1 = vmladavaq_s8(sum1, values, vldrbq_s8(weights + row));
        sum2 = vmladavaq_s8(sum2, values, vldrbq_s8(weights + 2 * row));
        sum3 = vmladavaq_s8(sum3, values, vldrbq_s8(weights + 3 * row));
        weights += GROUP;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

static int32_t dot_one(const int8_t *in, uint32_t count, const int8_t *weights)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i += GROUP) {
        const int8x16_t values = vldrbq_z_s8(in + i, vctp8q(count - i));
        sum = vmladavaq_s8(sum, values, vldrbq_s8(weights + i));
    }
    return sum;
}

#else

/* Four rows at a time, so that a value is loaded once for all of them. */
static void dot_four(const int8_t *in, uint32_t count, const int8_t *weights, uint32_t row,
                     int32_t *sums)
{
    int32_t sum0 = 0;
    int32_t sum1 = 0;
    int32_t sum2 = 0;
    int32_t sum3 = 0;
    for (; count != 0; count--) {
        const int32_t value = *in++;
        sum0 += value * weights[0];
        sum1 += value * weights[row];
        sum2 += value * weights[2 * row];
        sum3 += value * weights[3 * row];
        weights++;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

static int32_t dot_one(const int8_t *in, uint32_t count, const int8_t *weights)
{
    int32_t sum = 0;
    for (; count != 0; count--) {
        sum += *in++ * *weights++;
    }
    return sum;
}

#endif

void dd_dot_single(const int8_t *in, uint32_t count, const int8_t *weights, uint32_t channels,
                   int32_t *sums)
{
    const uint32_t row = DD_SINGLE_BYTES(count);
    for (; channels >= 4; channels -= 4) {
        dot_four(in, count, weights, row, sums);
        weights += 4 * row;
        sums += 4;
    }
    for (; channels != 0; channels--) {
        *sums++ = dot_one(in, count, weights);
        weights += row;
    }
}

#endif
