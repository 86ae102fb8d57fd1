#include "dd_layers.h"

#include <stddef.h>

#include "dd_lookup_s8.h"

dd_status dd_report(const dd_trace *trace, uint8_t tensor, const int8_t *values, uint32_t count)
{
    if (trace == NULL || trace->on_tensor(trace->context, tensor, values, count)) {
        return DD_OK;
    }
    return DD_STOPPED;
}

static dd_status run_unfused(const dd_call *call, const dd_view *in, uint32_t first, uint32_t steps,
                             int8_t *out, const dd_trace *trace)
{
    const uint32_t count = steps * call->layer->out_channels;
    dd_conv1d_s8(call->layer, NULL, in, first, steps, out);
    const dd_status status = dd_report(trace, call->tensor, out, count);
    if (status != DD_OK) {
        return status;
    }
    dd_lookup_s8(call->table, out, count);
    return dd_report(trace, (uint8_t)(call->tensor + 1u), out, count);
}

dd_status dd_layer_run(const dd_call *call, const dd_view *in, uint32_t first, uint32_t steps,
                       int8_t *out, const dd_trace *trace)
{
    if (call->table != NULL && trace != NULL && trace->unfused) {
        return run_unfused(call, in, first, steps, out, trace);
    }
    dd_conv1d_s8(call->layer, call->table, in, first, steps, out);
    const uint8_t seen = call->table == NULL ? call->tensor : (uint8_t)(call->tensor + 1u);
    return dd_report(trace, seen, out, steps * call->layer->out_channels);
}

dd_status dd_layer_whole(const dd_call *call, const int8_t *in, int8_t *out, const dd_trace *trace)
{
    const dd_view all = {in, 0, call->in_length};
    return dd_layer_run(call, &all, 0, call->out_length, out, trace);
}

dd_status dd_layers_run(const dd_layers_plan *plan, int8_t *values, const dd_trace *trace)
{
    dd_status status = DD_OK;
    for (uint8_t i = 0; i < plan->count && status == DD_OK; i++) {
        const dd_layer_step *const step = &plan->steps[i];
        status = dd_layer_whole(step->call, values + step->source, values + step->target, trace);
    }
    return status;
}
