/* What the parts of the depthwise convolution for the DSP extension share. */
#ifndef DD_DEPTHWISE_PARTS_H
#define DD_DEPTHWISE_PARTS_H

#include <stdint.h>

#include "dd_conv1d_s8.h"
#include "dd_simd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What there is of each channel, one behind the other, `words` words each: pairs of weights, and
 * then this. An odd number of taps ends with a pair of the last two, of which the first is there
 * for the second time. With `doubles` weights and bias are doubled. */
typedef struct dd_depthwise_end {
    int32_t bias;
    int32_t multiplier;
    int32_t shift;  /* to the right */
    int32_t offset; /* with `doubles` what rounds, and the zero point: (2 z + 1) x 2^(shift - 1) */
} dd_depthwise_end;

#define DD_DEPTHWISE_END_WORDS (sizeof(dd_depthwise_end) / sizeof(uint32_t))

/* A doubled sum as what int8 holds of it. */
static inline int32_t dd_depthwise_code(int32_t sum, const dd_depthwise_end *end)
{
    const int32_t offset = end->offset + (sum >> 31); /* ties of negative values leave zero, too */
    return dd_saturate(dd_add_rounded_high(sum, end->multiplier, offset) >> end->shift);
}

/* Three steps on end of `count` channels, an even number, with a kernel of three and no stride.
 * `in` has five steps and `out` three, both `hop` apart; `words` are the first channel's. */
void dd_depthwise_three(const dd_conv1d *layer, const uint32_t *words, const int8_t *in,
                        uint32_t hop, uint32_t count, int8_t *out);

/* One step of `count` channels, whole fours, whose window begins at `at` and lies within the view.
 */
void dd_depthwise_quads(const dd_conv1d *layer, const uint32_t *words, const int8_t *at,
                        uint32_t count, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
