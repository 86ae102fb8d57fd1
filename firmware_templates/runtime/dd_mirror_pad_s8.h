/* Padding along time with the input's own steps, mirrored at its ends. */
#ifndef DD_MIRROR_PAD_S8_H
#define DD_MIRROR_PAD_S8_H

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_mirror_pad {
    uint16_t channels;
    uint16_t in_length; /* steps of the input */
    uint16_t before;    /* steps of padding ahead of it */
    uint16_t edge;      /* 1: the mirror is the outermost step, 0: it lies beyond */
} dd_mirror_pad;

/* A dd_kernel; `params` is a dd_mirror_pad. `out` may not overlap the input. */
void dd_mirror_pad_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                      uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
