/* Looking into an inference: parity, profile and tests watch the tensors as they are made. */
#ifndef DD_TRACE_H
#define DD_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "dd_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Called with the next `count` values of tensor number `tensor` (the order is in the generated
 * NAME_net.json): all of it at once by the layers engine, a piece at a time by the streaming one.
 * `values` is valid during the call only. Returning false ends the inference with DD_STOPPED, and
 * then the tensor stays valid until the next inference. */
typedef bool (*dd_on_tensor)(void *context, uint16_t tensor, const int8_t *values, uint32_t count);

typedef struct dd_trace {
    dd_on_tensor on_tensor;
    void *context;
    /* Apply each layer's table in a pass of its own, so that the convolution's own output is seen
     * too. The results are the same; only then are the unfused tensors reported. */
    bool unfused;
} dd_trace;

/* Show `count` values to the trace (or null) as number `tensor`. DD_STOPPED if the observer asks
 * for it. */
DD_MUST_CHECK dd_status dd_report(const dd_trace *trace, uint16_t tensor, const int8_t *values,
                                  uint32_t count);

/* One array of constants of the model, as it lies in flash. */
typedef struct dd_constant {
    const void *data;
    uint32_t bytes;
} dd_constant;

#ifdef __cplusplus
}
#endif

#endif
