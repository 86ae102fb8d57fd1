/* What maximum and average pooling have in common: a window that slides along time. */
#ifndef DD_POOL_H
#define DD_POOL_H

#include <stdint.h>

#include "dd_layer.h"

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

#ifdef __cplusplus
}
#endif

#endif
