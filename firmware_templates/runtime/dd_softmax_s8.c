#include "dd_softmax_s8.h"

#include <stddef.h>

#include "dd_lookup_s8.h"
#include "dd_requant.h"

#define SUM_SHIFT    12 /* the sum of powers is in steps of 2^-19 */
#define OUTPUT_SHIFT 23 /* from steps of 2^-31 to steps of 1/256 */

/* What the sum of the powers divides by: shares are power x scale / 2^shift. */
typedef struct reciprocal {
    int32_t scale;
    int shift;
} reciprocal;

static int32_t shift_left_saturated(int32_t value, int exponent)
{
    const int64_t wide = (int64_t)value * ((int64_t)1 << exponent);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* 1 / (1 + fraction x 2^-31) in steps of 2^-31, by three of Newton's steps. */
static int32_t one_over_one_plus(int32_t fraction)
{
    const int32_t half = (fraction >> 1) + (1 << 30);             /* of the denominator */
    int32_t x = 1515870810 + dd_multiply_high(half, -1010580540); /* 48/17 - 32/17 half, / 4 */
    for (int i = 0; i < 3; i++) {
        const int32_t error = (1 << 29) - dd_multiply_high(half, x);
        x += shift_left_saturated(dd_multiply_high(x, error), 2);
    }
    return shift_left_saturated(x, 1);
}

static int leading_zeros(uint32_t value)
{
    int count = 0;
    for (; (value & 0x80000000u) == 0; value <<= 1) {
        count++;
    }
    return count;
}

static reciprocal reciprocal_of(int32_t sum)
{
    const int zeros = leading_zeros((uint32_t)sum);
    const uint32_t fraction = ((uint32_t)sum << zeros) & INT32_MAX; /* without the leading one */
    return (reciprocal){
        .scale = one_over_one_plus((int32_t)fraction),
        .shift = SUM_SHIFT - zeros + OUTPUT_SHIFT,
    };
}

static int32_t largest_of(const int8_t *values, uint32_t count)
{
    int32_t largest = INT8_MIN;
    for (uint32_t i = 0; i < count; i++) {
        largest = values[i] > largest ? values[i] : largest;
    }
    return largest;
}

static inline int32_t power_of(const dd_softmax *of, int32_t difference)
{
    return difference < of->count ? of->powers[difference] : 0;
}

static void softmax_step(const dd_softmax *of, const int8_t *in, int8_t *out)
{
    const int32_t largest = largest_of(in, of->channels);
    int32_t sum = 0;
    for (uint32_t i = 0; i < of->channels; i++) {
        sum = dd_add(sum, dd_shift_right(power_of(of, largest - in[i]), SUM_SHIFT));
    }
    const reciprocal by = reciprocal_of(sum);
    for (uint32_t i = 0; i < of->channels; i++) {
        const int32_t share = dd_multiply_high(by.scale, power_of(of, largest - in[i]));
        out[i] = (int8_t)dd_clamp(dd_shift_right(share, by.shift) - 128, INT8_MIN, INT8_MAX);
    }
}

void dd_softmax_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                   uint32_t steps, int8_t *out)
{
    const dd_softmax *const of = params;
    const int8_t *values = in->values + (first - (uint32_t)in->begin) * of->channels;
    int8_t *at = out;
    for (uint32_t step = 0; step < steps; step++) {
        softmax_step(of, values, at);
        values += of->channels;
        at += of->channels;
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, steps * of->channels);
    }
}
