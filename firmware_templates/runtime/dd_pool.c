#include "dd_pool_windows.h"

#include "dd_lookup_s8.h"
#include "dd_requant.h"

dd_windows dd_pool_at_border(const dd_pool *pool, const dd_view *in, int32_t begin, uint32_t most)
{
    const int32_t stop = begin + pool->kernel;
    const int32_t from = begin > in->begin ? begin : in->begin;
    const int32_t end = stop < in->end ? stop : in->end;
    DD_CHECK(from < end);
    uint32_t count = 1;
    if (end - from == pool->kernel) {
        /* Few of the last ones reach behind the input; not every core can divide. */
        int32_t last = stop + (int32_t)((most - 1u) * pool->stride);
        for (count = most; last > in->end; count--) {
            last -= pool->stride;
        }
    }
    return (dd_windows){
        .values = in->values + (uint32_t)(from - in->begin) * pool->channels,
        .steps = (uint32_t)(end - from),
        .count = count,
        .hop = (uint32_t)pool->stride * pool->channels,
    };
}

void dd_pool_convert(const dd_pool *pool, const int8_t *table, int8_t *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        out[i] = (int8_t)dd_clamp(out[i], pool->out_min, pool->out_max);
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, count);
    }
}
