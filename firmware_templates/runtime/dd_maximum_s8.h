/* The larger or the smaller of two int8 tensors' values, which have one scale. */
#ifndef DD_MAXIMUM_S8_H
#define DD_MAXIMUM_S8_H

#include <stdint.h>

#include "dd_pair.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_maximum {
    dd_pair pair;
    int8_t flip;            /* 0: the larger; -1: the smaller, the larger of the complements */
    const int8_t *constant; /* the second operand, if it is none of the inputs: [steps][channels] or
                             * one of the two; else null */
} dd_maximum;

/* A dd_kernel; params: dd_maximum. `out` may lie on an input that is as large, or before it. */
void dd_maximum_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                   uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
