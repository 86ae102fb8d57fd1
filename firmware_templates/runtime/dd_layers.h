/* A layer under observation: what both engines are made of. */
#ifndef DD_LAYERS_H
#define DD_LAYERS_H

#include <stdint.h>

#include "dd_conv1d_s8.h"
#include "dd_layer.h"
#include "dd_status.h"
#include "dd_trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A layer's call, constant. */
typedef struct dd_call {
    const dd_conv1d *layer;
    const int8_t *table; /* or null */
    uint16_t in_length;  /* steps */
    uint16_t out_length;
    uint8_t tensor; /* the number of its first traced tensor */
} dd_call;

/* Run one layer over some steps, as a dd_kernel does. A trace (or null) sees its tensors: of a
 * layer with a table, the kernel's own output as number `tensor` (in an unfused trace only) and
 * what the table makes of it as `tensor + 1`; of one without, its output as `tensor`. DD_STOPPED if
 * the observer asks for it. */
DD_MUST_CHECK dd_status dd_layer_run(const dd_call *call, const dd_view *in, uint32_t first,
                                     uint32_t steps, int8_t *out, const dd_trace *trace);

/* The same over all steps of a layer whose whole input lies at `in`. */
DD_MUST_CHECK dd_status dd_layer_whole(const dd_call *call, const int8_t *in, int8_t *out,
                                       const dd_trace *trace);

/* A layer of the layers engine: where its input and output lie in the values. */
typedef struct dd_layer_step {
    const dd_call *call;
    uint32_t source;
    uint32_t target;
} dd_layer_step;

/* The layers engine's plan, constant. */
typedef struct dd_layers_plan {
    const dd_layer_step *steps; /* in the order of execution */
    uint8_t count;
    uint32_t input; /* where the codes of a segment lie */
} dd_layers_plan;

/* Run all layers over a segment whose codes lie in place, one whole layer behind the other. */
DD_MUST_CHECK dd_status dd_layers_run(const dd_layers_plan *plan, int8_t *values,
                                      const dd_trace *trace);

/* Show `count` values to the trace (or null) as number `tensor`. DD_STOPPED if the observer asks
 * for it. */
DD_MUST_CHECK dd_status dd_report(const dd_trace *trace, uint8_t tensor, const int8_t *values,
                                  uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
