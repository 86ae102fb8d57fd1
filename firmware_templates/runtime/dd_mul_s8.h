/* The product of two int8 tensors, with TFLite's arithmetic. */
#ifndef DD_MUL_S8_H
#define DD_MUL_S8_H

#include <stdint.h>

#include "dd_pair.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_multiplication {
    dd_pair pair;
    int32_t multiplier; /* as in dd_requant.h */
    int8_t shift;       /* left if positive: up to 14, so that no product leaves int32 */
    int8_t first_zero_point;
    int8_t second_zero_point;
    int8_t out_zero_point;
    int8_t out_min; /* fused activation as a clamp */
    int8_t out_max;
    const int8_t *constant; /* the second operand, if it is none of the inputs: [steps][channels] or
                             * one of the two; else null */
} dd_multiplication;

/* A dd_kernel; params: dd_multiplication. `out` may lie on an input that is as large, or before it.
 */
void dd_mul_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
               uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
