/* The largest or smallest value over time, taken step by step. */
#ifndef DD_RUNNING_EXTREME_S8_H
#define DD_RUNNING_EXTREME_S8_H

#include "dd_running_reduce.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dd_kernel; `params` is a dd_running_reduce. The state is an int8_t for each channel. */
void dd_running_extreme_s8(const void *params, const int8_t *table, const dd_view *in,
                           uint32_t first, uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
