#include "dd_net.h"

#include <string.h>

#include "dd_lookup_s8.h"

dd_status dd_stage_traced(const dd_stage *stage, const dd_view *in, uint32_t first, uint32_t steps,
                          uint32_t channels, int8_t *out, const dd_trace *trace)
{
    const uint32_t count = steps * channels;
    uint16_t tensor = stage->tensor;
    if (stage->table == NULL || !trace->unfused) {
        stage->run(stage->params, stage->table, in, first, steps, out);
    } else {
        stage->run(stage->params, NULL, in, first, steps, out);
        const dd_status status = dd_report(trace, tensor, out, count);
        if (status != DD_OK) {
            return status;
        }
        dd_lookup_s8(stage->table, out, count);
    }
    if (stage->table != NULL) {
        tensor++;
    }
    return dd_report(trace, tensor, out, count);
}

void dd_net_begin(const dd_net *net)
{
    memset(net->lines, 0, ((uint32_t)net->plan->inputs + net->plan->count) * sizeof *net->lines);
    net->counts[DD_NET_PARTIAL] = 0;
    net->counts[DD_NET_INPUT] = 0;
    net->plan->engine->begin(net);
}

/* Counts whole steps, of which few come at a time: the smallest cores have no division. */
static uint32_t take_input(uint16_t *partial, uint32_t channels, uint32_t count)
{
    uint32_t values = *partial + count;
    uint32_t steps = 0;
    if (channels == 1) {
        return count;
    }
    for (; values >= channels; values -= channels) {
        steps++;
    }
    *partial = (uint16_t)values;
    return steps;
}

dd_status dd_net_run(const dd_net *net, uint32_t count, const dd_trace *trace)
{
    const uint32_t input = net->counts[DD_NET_INPUT];
    const dd_line_plan *const plan = &net->plan->lines[input];
    if (trace != NULL) {
        const dd_status status = dd_report(trace, (uint16_t)input, dd_net_space(net), count);
        if (status != DD_OK) {
            return status;
        }
    }
    const uint32_t steps = take_input(&net->counts[DD_NET_PARTIAL], plan->channels, count);
    if (steps == 0) {
        return DD_OK;
    }
    if (net->lines[input].end + steps == plan->steps && input + 1u < net->plan->inputs) {
        net->counts[DD_NET_INPUT]++;
    }
    return net->plan->engine->run(net, input, steps, trace);
}
