/* The sum or difference of two int8 tensors, as one linear form of the two codes. */
#ifndef DD_ADD_S8_H
#define DD_ADD_S8_H

#include <stdint.h>

#include "dd_pair.h"

#ifdef __cplusplus
extern "C" {
#endif

/* code = (first_factor x first + second_factor x second + offset) >> shift, then clamped. The sum
 * fits int32. The generator chooses the numbers such that all 65,536 pairs of codes give what
 * TFLite's arithmetic gives, which scales both to 20 bits more, adds, scales again and rounds each
 * time. */
typedef struct dd_addition {
    dd_pair pair;
    int32_t first_factor;
    int32_t second_factor;
    int32_t offset;
    int32_t first_high;  /* what the DSP extension takes instead: code + 128 is */
    int32_t second_high; /* ((first_high x 256 first >> 16) + ... + high_offset) >> 16; */
    int32_t high_offset; /* 0, all three, where no such numbers give the same */
    uint8_t shift;       /* DD_ADD_SHIFT is the fastest */
    int8_t out_min;      /* fused activation as a clamp */
    int8_t out_max;
    const int8_t *constant; /* the second operand, if it is none of the inputs: [steps][channels] or
                             * one of the two; else null */
} dd_addition;

#define DD_ADD_SHIFT 22

/* A dd_kernel; params: dd_addition. `out` may lie on an input that is as large, or before it. */
void dd_add_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
               uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
