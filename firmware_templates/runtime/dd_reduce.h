/* What the reductions have in common: where the values lie that become one. */
#ifndef DD_REDUCE_H
#define DD_REDUCE_H

#include <stdint.h>

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Value `i` of `channels` in an output step is made of `count` values: those at i x next + j x hop
 * from where the step's input begins. Over time `next` is 1 and `hop` the input's channels; over
 * channels `hop` is 1 and `next` the input's channels. */
typedef struct dd_reduce {
    uint16_t in_channels;
    uint16_t in_stride; /* input steps from an output step's first to the next one's */
    uint16_t channels;
    uint16_t next;
    uint16_t hop;
    uint32_t count;
    int32_t bias;          /* of a mean: -count x the input's zero point */
    int32_t multiplier;    /* of a mean, with its shift: as in dd_requant.h */
    int8_t shift;          /* left if positive */
    int8_t out_zero_point; /* of a mean */
    int8_t flip;           /* of an extreme: 0 for the largest, -1 for the smallest */
} dd_reduce;

#define DD_REDUCE_BLOCK 16u /* channels at a time */

/* Where the input of output step `step` begins. */
static inline const int8_t *dd_reduce_begin(const dd_reduce *of, const dd_view *in, uint32_t step)
{
    const uint32_t at = step * of->in_stride - (uint32_t)in->begin;
    return in->values + at * of->in_channels;
}

#ifdef __cplusplus
}
#endif

#endif
