/* Average pooling along time, with TFLite's rounding: to the nearest, ties away from zero. */
#ifndef DD_AVERAGE_POOL_S8_H
#define DD_AVERAGE_POOL_S8_H

#include "dd_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A sum of up to DD_RECIPROCAL_STEPS values is divided by multiplication: a reciprocal a little
 * above 2^23 / steps carries ties away from zero on both sides, and nothing else over an edge. */
#define DD_RECIPROCAL_STEPS  128u
#define DD_RECIPROCAL_SHIFT  23
#define DD_RECIPROCAL(steps) (((uint32_t)1 << DD_RECIPROCAL_SHIFT) / (steps) + 1u)

/* A dd_kernel; `params` is a dd_pool. `out` may overlap the input as long as no step is written
 * over input that it or a later one reads. */
void dd_average_pool_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                        uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
