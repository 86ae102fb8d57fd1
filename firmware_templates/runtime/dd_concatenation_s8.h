/* Several tensors side by side: along channels, or one behind the other in time. */
#ifndef DD_CONCATENATION_S8_H
#define DD_CONCATENATION_S8_H

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where one of the inputs goes: its first value to channel `channel` of output step `step`. */
typedef struct dd_concatenated {
    uint16_t channels;
    uint16_t channel;
    uint16_t steps;
    uint16_t step;
} dd_concatenated;

typedef struct dd_concatenation {
    uint16_t channels; /* of the output */
    uint16_t count;
    dd_concatenated inputs[DD_INPUTS_MAX]; /* the first `count`, in the order of the views */
} dd_concatenation;

/* A dd_kernel; `params` is a dd_concatenation. `out` may not overlap an input. */
void dd_concatenation_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                         uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
