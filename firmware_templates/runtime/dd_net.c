#include "dd_net.h"

#include <stddef.h>
#include <string.h>

#include "dd_lookup_s8.h"

dd_status dd_report(const dd_trace *trace, uint16_t tensor, const int8_t *values, uint32_t count)
{
    if (trace == NULL || trace->on_tensor(trace->context, tensor, values, count)) {
        return DD_OK;
    }
    return DD_STOPPED;
}

dd_status dd_stage_run(const dd_stage *stage, const dd_view *in, uint32_t first, uint32_t steps,
                       uint32_t channels, int8_t *out, const dd_trace *trace)
{
    const uint32_t count = steps * channels;
    uint16_t tensor = stage->tensor;
    if (stage->table == NULL || trace == NULL || !trace->unfused) {
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

/* The number of the first input that has not come whole, else of the last one. */
static uint32_t input_of(const dd_net *net)
{
    uint32_t input = 0;
    while (input + 1u < net->plan->inputs &&
           net->lines[input].end == net->plan->lines[input].steps) {
        input++;
    }
    return input;
}

void dd_net_begin(const dd_net *net)
{
    memset(net->lines, 0, ((uint32_t)net->plan->inputs + net->plan->count) * sizeof *net->lines);
    net->counts[0] = 0;
    net->plan->engine->begin(net);
}

uint32_t dd_net_room(const dd_net *net)
{
    const uint32_t steps = net->plan->engine->room(net);
    return steps == 0 ? 0 : steps * net->plan->lines[input_of(net)].channels - net->counts[0];
}

int8_t *dd_net_space(const dd_net *net)
{
    const uint32_t input = input_of(net);
    const dd_line *const line = &net->lines[input];
    const dd_line_plan *const plan = &net->plan->lines[input];
    const uint32_t steps = line->begin < line->end ? (uint32_t)line->end - line->begin : 0;
    return net->values + plan->at + steps * plan->channels + net->counts[0];
}

/* Counts whole steps, of which few come at a time: the smallest cores have no division. */
static bool take_input(const dd_net *net, dd_line *line, uint32_t channels, uint32_t count)
{
    const uint32_t before = line->end;
    uint32_t values = net->counts[0] + count;
    uint32_t end = before;
    for (; values >= channels; values -= channels) {
        end++;
    }
    line->end = (uint16_t)end;
    net->counts[0] = (uint16_t)values;
    return end != before;
}

dd_status dd_net_run(const dd_net *net, uint32_t count, const dd_trace *trace)
{
    const uint32_t input = input_of(net);
    const dd_status status = dd_report(trace, (uint16_t)input, dd_net_space(net), count);
    if (status != DD_OK ||
        !take_input(net, &net->lines[input], net->plan->lines[input].channels, count)) {
        return status;
    }
    return net->plan->engine->run(net, trace);
}
