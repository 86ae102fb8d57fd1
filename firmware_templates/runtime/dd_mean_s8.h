/* The mean of values: over time, over channels or both, requantised. */
#ifndef DD_MEAN_S8_H
#define DD_MEAN_S8_H

#include "dd_reduce.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dd_kernel; `params` is a dd_reduce. The sums cannot overflow: the generator proves it. */
void dd_mean_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                uint32_t steps, int8_t *out);

/* The same in parts, for as many values as have come: sums begin as zeros; `channels` of them take
 * `count` values each, `hop` bytes apart, the first ones `next` bytes from each other; then each
 * becomes a code. */
void dd_mean_take(const dd_reduce *of, const int8_t *values, uint32_t channels, uint32_t count,
                  int32_t *sums);
void dd_mean_finish(const dd_reduce *of, const int32_t *sums, uint32_t channels, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
