/* What maximum and average pooling have in common: a window that slides along time. */
#ifndef DD_POOL_H
#define DD_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "dd_layer.h"
#include "dd_requant.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_pool {
    uint16_t channels;
    uint16_t kernel; /* steps of a window */
    uint16_t stride; /* from one window's first step to the next one's */
    uint16_t before; /* steps of padding before the input; padding counts for nothing */
    int8_t out_min;  /* fused activation as a clamp */
    int8_t out_max;
    uint32_t reciprocal; /* of an average: DD_RECIPROCAL(kernel) */
} dd_pool;

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
    return (dd_windows){
        .values = in->values + (uint32_t)(begin - in->begin) * pool->channels,
        .steps = pool->kernel,
        .count = most,
        .hop = (uint32_t)pool->stride * pool->channels,
    };
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

#ifdef __cplusplus
}
#endif

#endif
