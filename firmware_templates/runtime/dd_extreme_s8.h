/* The largest or the smallest of values: over time, over channels or both. */
#ifndef DD_EXTREME_S8_H
#define DD_EXTREME_S8_H

#include "dd_reduce.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dd_kernel; `params` is a dd_reduce. */
void dd_extreme_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                   uint32_t steps, int8_t *out);

/* The same in parts, for as many values as have come: `extremes` begins as INT8_MIN (whichever
 * extreme it is); `channels` of them take `count` values each, `hop` bytes apart, the first ones
 * `next` bytes from each other; then each becomes a code, which may take its place. */
void dd_extreme_take(const dd_reduce *of, const int8_t *values, uint32_t channels, uint32_t count,
                     int8_t *extremes);
void dd_extreme_finish(const dd_reduce *of, const int8_t *extremes, uint32_t channels, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
