/* Values through a table: an operator on single values that follows no layer into whose table it
 * could go. */
#ifndef DD_MOVE_S8_H
#define DD_MOVE_S8_H

#include <stdint.h>

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_move {
    uint16_t channels;
    const int8_t *codes; /* [256] by code + 128 */
} dd_move;

/* A dd_kernel; params: dd_move. `out` may lie on the input, or before it. */
void dd_move_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
