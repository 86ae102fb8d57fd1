/* What every kernel looks like to the engines. */
#ifndef DD_LAYER_H
#define DD_LAYER_H

#include <stdint.h>

#include "dd_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The most inputs of a layer, where dd_kernels.h does not say more. */
#if !defined(DD_INPUTS_MAX)
#define DD_INPUTS_MAX 8
#endif

/* Steps [begin, end) of a tensor, those that are there: [end - begin][channels], time-major.
 * Both are counted from the tensor's first step. */
typedef struct dd_view {
    const int8_t *values;
    int32_t begin;
    int32_t end;
} dd_view;

/* Compute output steps [first, first + steps) of a layer, counted from its output's first, into
 * `out` [steps][channels].
 *
 * params: the layer's own constant struct. table: null, or 256 codes by code + 128 that every
 * output code goes through. in: a view for each input. What a window reaches outside of the tensor
 * is padding, which the kernel supplies; everything else is there.
 *
 * Steps are computed in ascending order. `out` may overlap an input as far as the layer's class in
 * the generator allows (Layer.OVERLAP). */
typedef void dd_kernel(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                       uint32_t steps, int8_t *out);

/* For how much is done at a time. */
static inline uint32_t dd_at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

#ifdef __cplusplus
}
#endif

#endif
