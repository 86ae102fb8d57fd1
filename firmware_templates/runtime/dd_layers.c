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

static dd_status conv1d_unfused(const dd_conv1d *layer, dd_input in, int32_t first, uint32_t steps,
                                int8_t *out, const dd_trace *trace, uint8_t tensor)
{
    const uint32_t count = steps * layer->out_channels;
    dd_conv1d plain = *layer;
    plain.table = NULL;
    dd_conv1d_s8(&plain, in, first, steps, out);
    const dd_status status = dd_report(trace, tensor, out, count);
    if (status != DD_OK) {
        return status;
    }
    dd_lookup_s8(layer->table, out, count);
    return dd_report(trace, (uint8_t)(tensor + 1u), out, count);
}

dd_status dd_layer_conv1d(const dd_conv1d *layer, dd_input in, int32_t first, uint32_t steps,
                          int8_t *out, const dd_trace *trace, uint8_t tensor)
{
    if (layer->table != NULL && trace != NULL && trace->unfused) {
        return conv1d_unfused(layer, in, first, steps, out, trace, tensor);
    }
    dd_conv1d_s8(layer, in, first, steps, out);
    const uint8_t seen = layer->table == NULL ? tensor : (uint8_t)(tensor + 1u);
    return dd_report(trace, seen, out, steps * layer->out_channels);
}

dd_status dd_layer_whole(const dd_conv1d *layer, const int8_t *in, int8_t *out,
                         const dd_trace *trace, uint8_t tensor)
{
    const dd_input all = {in, layer->in_length};
    return dd_layer_conv1d(layer, all, -(int32_t)layer->pad_before, layer->out_length, out, trace,
                           tensor);
}

dd_status dd_layers_run(const dd_layers_plan *plan, int8_t *values, const dd_trace *trace)
{
    dd_status status = DD_OK;
    for (uint8_t i = 0; i < plan->count && status == DD_OK; i++) {
        const dd_layer_step *const step = &plan->steps[i];
        status = dd_layer_whole(step->layer, values + step->source, values + step->target, trace,
                                step->tensor);
    }
    return status;
}
