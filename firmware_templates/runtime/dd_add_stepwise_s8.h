/* The sum or difference of two int8 tensors in the steps of TFLite's arithmetic: for the few scales
 * for which no linear form gives the same (dd_add_s8.h). */
#ifndef DD_ADD_STEPWISE_S8_H
#define DD_ADD_STEPWISE_S8_H

#include <stdint.h>

#include "dd_pair.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Multipliers and shifts are those of dd_requant.h; a multiplier of the second operand below zero
 * subtracts. The operands' shifts and the output's are 0 or to the right. */
typedef struct dd_add_stepwise {
    dd_pair pair;
    int32_t first_multiplier;
    int32_t second_multiplier;
    int32_t out_multiplier;
    int8_t first_shift;
    int8_t second_shift;
    int8_t out_shift;
    int8_t first_zero_point;
    int8_t second_zero_point;
    int8_t out_zero_point;
    int8_t out_min;
    int8_t out_max;
    const int8_t *constant; /* the second operand, if it is none of the inputs; else null */
} dd_add_stepwise;

/* A dd_kernel; params: dd_add_stepwise. `out` may lie on an input that is as large, or before it.
 */
void dd_add_stepwise_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                        uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
