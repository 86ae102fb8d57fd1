#include "dd_pool.h"

#include <stddef.h>

#include "dd_lookup_s8.h"

void dd_pool_finish(const dd_pool *pool, const int8_t *table, int8_t *out, uint32_t count)
{
    if (pool->out_min != INT8_MIN || pool->out_max != INT8_MAX) {
        for (uint32_t i = 0; i < count; i++) {
            out[i] = (int8_t)dd_clamp(out[i], pool->out_min, pool->out_max);
        }
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, count);
    }
}
