/* Maximum pooling along time. */
#ifndef DD_MAX_POOL_S8_H
#define DD_MAX_POOL_S8_H

#include "dd_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dd_kernel; `params` is a dd_pool. `out` may overlap the input as long as no step is written
 * over input that it or a later one reads. */
void dd_max_pool_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                    uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
