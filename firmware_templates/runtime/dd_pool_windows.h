/* How both kinds of pooling walk along their input; for their own files. */
#ifndef DD_POOL_WINDOWS_H
#define DD_POOL_WINDOWS_H

#include <stddef.h>

#include "dd_pool.h"

/* Windows of as many steps each, one behind the other. */
typedef struct dd_windows {
    const int8_t *values; /* the first one's [steps][channels] */
    uint32_t steps;       /* of each, those that the input has: at least 1 */
    uint32_t count;
    uint32_t hop; /* bytes from one to the next */
} dd_windows;

/* The window that begins at step `begin`, which may lie before the input, and if it is whole the
 * next ones that are, `most` at the most. */
dd_windows dd_pool_at_border(const dd_pool *pool, const dd_view *in, int32_t begin, uint32_t most);

static inline dd_windows dd_pool_windows(const dd_pool *pool, const dd_view *in, int32_t begin,
                                         uint32_t most)
{
    const int32_t last = begin + (int32_t)((most - 1u) * pool->stride) + pool->kernel;
    if (begin < in->begin || last > in->end) {
        return dd_pool_at_border(pool, in, begin, most);
    }
    dd_windows of;
    of.values = in->values + (uint32_t)(begin - in->begin) * pool->channels;
    of.steps = pool->kernel;
    of.count = most;
    of.hop = (uint32_t)pool->stride * pool->channels;
    return of;
}

/* Clamp what was computed, for the fused activation, and look it up in the table, if there is one.
 */
void dd_pool_convert(const dd_pool *pool, const int8_t *table, int8_t *out, uint32_t count);

static inline void dd_pool_finish(const dd_pool *pool, const int8_t *table, int8_t *out,
                                  uint32_t steps)
{
    if (table != NULL || pool->out_min != INT8_MIN || pool->out_max != INT8_MAX) {
        dd_pool_convert(pool, table, out, steps * pool->channels);
    }
}

#endif
