/* The layers engine: one whole layer behind the other, once all of the input is there. */
#include "dd_net.h"

static void begin(const dd_net *net)
{
    (void)net;
}

static uint32_t room(const dd_net *net)
{
    uint32_t missing = 0;
    for (uint32_t input = 0; input < net->plan->inputs && missing == 0; input++) {
        missing = (uint32_t)net->plan->lines[input].steps - net->lines[input].end;
    }
    return missing;
}

static dd_status run_stage(const dd_net *net, const dd_stage *stage, const dd_line_plan *to,
                           const dd_trace *trace)
{
    const dd_source *source = net->plan->sources + stage->sources;
    dd_view in[DD_INPUTS_MAX];
    for (uint32_t i = 0; i < stage->count; i++) {
        const dd_line_plan *const from = &net->plan->lines[source[i].line];
        in[i] = (dd_view){net->values + from->at, 0, source[i].kernel};
    }
    return dd_stage_run(stage, in, 0, to->steps, to->channels, net->values + to->at, trace);
}

static dd_status run(const dd_net *net, uint32_t input, uint32_t steps, const dd_trace *trace)
{
    const dd_net_plan *const plan = net->plan;
    dd_status status = DD_OK;
    net->lines[input].end = (uint16_t)(net->lines[input].end + steps);
    if (room(net) != 0) {
        return DD_OK;
    }
    for (uint32_t i = 0; i < plan->count && status == DD_OK; i++) {
        net->lines[plan->inputs + i].end = plan->lines[plan->inputs + i].steps;
        status = run_stage(net, &plan->stages[i], &plan->lines[plan->inputs + i], trace);
    }
    return status;
}

const dd_engine dd_layers_engine = {begin, room, run};
