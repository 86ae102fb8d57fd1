/* A leaky ReLU with a slope for each channel or value, with TFLite's arithmetic. */
#ifndef DD_PRELU_S8_H
#define DD_PRELU_S8_H

#include <stdint.h>

#include "dd_pair.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first operand is the input, the second the slopes. */
typedef struct dd_prelu {
    dd_pair pair;
    int32_t multiplier;       /* of what is positive, as in dd_requant.h */
    int32_t slope_multiplier; /* of what is negative, times its slope */
    int8_t shift;             /* left if positive: up to 23 */
    int8_t slope_shift;       /* up to 14 */
    int8_t in_zero_point;
    int8_t slope_zero_point;
    int8_t out_zero_point;
    const int8_t *constant; /* the slopes, if they are none of the inputs: [steps][channels] or one
                             * of the two; else null */
} dd_prelu;

/* A dd_kernel; params: dd_prelu. `out` may lie on an input that is as large, or before it. */
void dd_prelu_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                 uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
