/* What coder and decoder of lossless samples (dd_rice.h) know of a segment so far, and how they
 * learn from each sample. One definition for both: a decoder that learns otherwise decodes nothing.
 */
#ifndef DD_RICE_MODEL_H
#define DD_RICE_MODEL_H

#include "dd_rice.h"

#include <assert.h>

#define STEP_MAX      8191
#define WEIGHT_BITS   13
#define WEIGHT_MAX    32767
#define RATE_BITS     7u /* of the weights: 2^-6 of the sum of steps */
#define MEAN_BITS     6u
#define MISSED_MAX    1023u
#define LOUD          (4u * (MISSED_MAX + 1u)) /* activity from which on the means say too little */
#define PARAMETER_MAX 15u
#define SAMPLE_BITS   16
#define ESCAPE        20u /* ones; the value follows in 16 bits: the longest code */

static_assert(DD_RICE_SLACK_BITS >= ESCAPE, "a segment's second sample may be coded");

#ifndef __cplusplus /* which cannot name what it initialises */
/* What is known before the first sample. */
static const dd_rice dd_rice_fresh = {
    .spare_bits = DD_RICE_SLACK_BITS,
    .missed = {8, 8, 8},
    .weights = {9830, -1638},
};
#endif

static uint32_t magnitude(int32_t value)
{
    return value < 0 ? (uint32_t)-value : (uint32_t)value;
}

static uint32_t bit_length(uint32_t value)
{
#if defined(__GNUC__)
    return value == 0u ? 0u : 32u - (uint32_t)__builtin_clz(value);
#else
    uint32_t bits = 0;
    while (value != 0u) {
        value >>= 1;
        bits++;
    }
    return bits;
#endif
}

static int32_t clamp(int32_t value, int32_t limit)
{
    if (value > limit) {
        return limit;
    }
    return value < -limit ? -limit : value;
}

/* The sum stays within 4 x 8191 x 32767 + 2^12 < 2^31. */
static int32_t predict(const dd_rice *coder)
{
    int32_t sum = 1 << (WEIGHT_BITS - 1);
    for (uint32_t i = 0; i < DD_RICE_TAPS; i++) {
        sum += coder->weights[i] * coder->steps[i];
    }
    return coder->last + (sum >> WEIGHT_BITS);
}

/* The mean of what was missed before in the same circumstances. */
static uint16_t *mean_of(dd_rice *coder, uint32_t activity)
{
    const uint32_t slope = magnitude(coder->steps[0]);
    uint32_t row = bit_length(activity);
    uint32_t column = (bit_length(slope) + 1u) / 2u;
    row = row < DD_RICE_ACTIVITY ? row : DD_RICE_ACTIVITY - 1u;
    column = column < DD_RICE_SLOPE ? column : DD_RICE_SLOPE - 1u;
    uint16_t *mean = &coder->means[row * DD_RICE_SLOPE + column];
    if (*mean == 0u) {
        const uint32_t guess = 16u * activity + 4u * slope + 1u;
        *mean = (uint16_t)(guess < UINT16_MAX ? guess : UINT16_MAX);
    }
    return mean;
}

static uint32_t parameter_of(uint32_t mean, uint32_t activity)
{
    if (activity < LOUD) {
        return bit_length((mean * 9u) >> 10);
    }
    const uint32_t bits = bit_length((activity * 9u) >> 6);
    return bits < PARAMETER_MAX ? bits : PARAMETER_MAX;
}

static void follow(uint16_t *mean, uint32_t missed)
{
    const uint32_t counted = missed < MISSED_MAX ? missed : MISSED_MAX;
    const int32_t away = (int32_t)(counted << MEAN_BITS) - *mean;
    *mean = (uint16_t)(*mean + ((away + 8) >> 4));
}

/* The sign LMS: each weight moves by its step's share of all steps, towards what was missed. */
static void learn(dd_rice *coder, int32_t missed)
{
    uint32_t sum = DD_RICE_TAPS;
    for (uint32_t i = 0; i < DD_RICE_TAPS; i++) {
        sum += magnitude(coder->steps[i]);
    }
    const uint32_t shift = bit_length(sum) - 1u;
    for (uint32_t i = 0; i < DD_RICE_TAPS; i++) {
        const int32_t by = (int32_t)((magnitude(coder->steps[i]) << RATE_BITS) >> shift);
        const bool up = (coder->steps[i] < 0) == (missed < 0);
        coder->weights[i] = clamp(coder->weights[i] + (up ? by : -by), WEIGHT_MAX);
    }
}

static void remember(dd_rice *coder, int16_t sample, uint32_t folded)
{
    for (uint32_t i = DD_RICE_TAPS - 1u; i > 0u; i--) {
        coder->steps[i] = coder->steps[i - 1u];
    }
    coder->steps[0] = clamp(sample - coder->last, STEP_MAX);
    coder->missed[2] = coder->missed[1];
    coder->missed[1] = coder->missed[0];
    coder->missed[0] = folded;
    coder->last = sample;
}

/* Whether the longest code leaves 16 bits for each sample behind it. */
static bool may_be_coded(const dd_rice *coder)
{
    return coder->spare_bits >= (int32_t)ESCAPE;
}

/* Follow a sample that the prediction missed by `missed`, `folded` when written. */
static void take_note(dd_rice *coder, uint16_t *mean, int16_t sample, int32_t missed,
                      uint32_t folded)
{
    follow(mean, folded);
    if (missed != 0) {
        learn(coder, missed);
    }
    remember(coder, sample, folded);
}

#endif
