/* The negative, value by value. */
#ifndef DD_NEG_S8_H
#define DD_NEG_S8_H

#include <stdint.h>

#include "dd_layer.h"

typedef struct dd_neg {
    uint16_t channels;
    int8_t zero_point;
} dd_neg;

/* A dd_kernel; `params` is a dd_neg. */
void dd_neg_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
               uint32_t steps, int8_t *out);

#endif
