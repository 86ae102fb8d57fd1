#include "dd_push.h"

#include <string.h>

/* The number of the first input that has not come whole; `inputs` if there is none. */
static uint32_t due_input(const dd_net *net)
{
    uint32_t input = 0;
    while (input < net->plan->inputs && net->lines[input].end == net->plan->lines[input].steps) {
        input++;
    }
    return input;
}

bool dd_push_complete(const dd_net *net)
{
    return due_input(net) == net->plan->inputs;
}

static dd_status push_input(const dd_net *net, uint32_t input, const int8_t *steps, size_t count,
                            size_t *taken, const dd_trace *trace)
{
    const uint32_t channels = net->plan->lines[input].channels;
    dd_status status = DD_OK;
    while (status == DD_OK && *taken < count && due_input(net) == input) {
        const uint32_t room = net->plan->engine->room(net);
        const size_t left = count - *taken;
        const uint32_t now = left < room ? (uint32_t)left : room;
        if (now == 0) {
            return DD_STALLED;
        }
        memcpy(dd_net_space(net), steps + *taken * channels, (size_t)now * channels);
        *taken += now;
        status = dd_net_run(net, now * channels, trace);
    }
    return status;
}

dd_status dd_push_steps(const dd_net *net, const int8_t *steps, size_t count, size_t *taken,
                        const dd_trace *trace)
{
    if (steps == NULL || taken == NULL) {
        return DD_BAD_ARGUMENT;
    }
    *taken = 0;
    if (count == 0) {
        return DD_OK;
    }
    if (dd_push_complete(net)) {
        dd_net_begin(net);
    }
    const dd_status status = push_input(net, due_input(net), steps, count, taken, trace);
    return status == DD_OK && dd_push_complete(net) ? DD_OUTPUT_READY : status;
}

dd_status dd_push_whole(const dd_net *net, const int8_t *const *inputs, const dd_trace *trace)
{
    dd_status status = DD_OK;
    dd_net_begin(net);
    for (uint32_t i = 0; i < net->plan->inputs && status == DD_OK; i++) {
        size_t taken = 0;
        if (inputs[i] == NULL) {
            return DD_BAD_ARGUMENT;
        }
        status = push_input(net, i, inputs[i], net->plan->lines[i].steps, &taken, trace);
    }
    return status;
}
