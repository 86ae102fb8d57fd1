/* Time becomes channels, and channels time: the whole input, or a slice of it. */
#ifndef DD_TRANSPOSE_S8_H
#define DD_TRANSPOSE_S8_H

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Channel `c` of output step `o` is channel skip + o x every of input step begin + c x stride. */
typedef struct dd_transpose {
    uint16_t in_channels;
    uint16_t channels; /* of the output */
    uint16_t skip;
    uint16_t every;
    uint16_t begin;
    uint16_t stride;
} dd_transpose;

/* A dd_kernel; `params` is a dd_transpose. `out` may not overlap the input. */
void dd_transpose_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                     uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
