/* What maximum and average pooling have in common: a window that slides along time. */
#ifndef DD_POOL_H
#define DD_POOL_H

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

/* The steps of a window that the input has. */
typedef struct dd_pooled {
    const int8_t *values; /* [steps][channels] */
    uint32_t steps;       /* at least 1 */
} dd_pooled;

/* The window that begins at step `begin`, which may lie before the input. */
static inline dd_pooled dd_pool_window(const dd_pool *pool, const dd_view *in, int32_t begin)
{
    const int32_t stop = begin + pool->kernel;
    const int32_t from = begin > in->begin ? begin : in->begin;
    const int32_t end = stop < in->end ? stop : in->end;
    DD_CHECK(from < end);
    return (dd_pooled){in->values + (uint32_t)(from - in->begin) * pool->channels,
                       (uint32_t)(end - from)};
}

/* Clamp what was computed, for the fused activation, and look it up in the table, if there is one.
 */
void dd_pool_finish(const dd_pool *pool, const int8_t *table, int8_t *out, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
