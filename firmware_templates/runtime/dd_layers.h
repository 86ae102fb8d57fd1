/* A layer under observation: what both engines are made of. */
#ifndef DD_LAYERS_H
#define DD_LAYERS_H

#include <stdint.h>

#include "dd_conv1d_s8.h"
#include "dd_status.h"
#include "dd_trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Run one layer over some steps, as dd_conv1d_s8 does. A trace (or null) sees its tensors: of a
 * convolution with a table, the convolution's own output as number `tensor` (in an unfused trace
 * only) and what the table makes of it as `tensor + 1`; of one without, its output as `tensor`.
 * DD_STOPPED if the observer asks for it. */
DD_MUST_CHECK dd_status dd_layer_conv1d(const dd_conv1d *layer, dd_input in, int32_t first,
                                        uint32_t steps, int8_t *out, const dd_trace *trace,
                                        uint8_t tensor);

/* The same over all steps of a layer whose whole input lies at `in`. */
DD_MUST_CHECK dd_status dd_layer_whole(const dd_conv1d *layer, const int8_t *in, int8_t *out,
                                       const dd_trace *trace, uint8_t tensor);

/* Show `count` values to the trace (or null) as number `tensor`. DD_STOPPED if the observer asks
 * for it. */
DD_MUST_CHECK dd_status dd_report(const dd_trace *trace, uint8_t tensor, const int8_t *values,
                                  uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
