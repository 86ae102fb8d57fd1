#include "dd_net.h"

uint32_t dd_net_room(const dd_net *net)
{
    const uint32_t steps = net->plan->engine->room(net);
    const uint32_t channels = net->plan->lines[net->counts[DD_NET_INPUT]].channels;
    return steps == 0 ? 0 : steps * channels - net->counts[DD_NET_PARTIAL];
}

int8_t *dd_net_space(const dd_net *net)
{
    const uint32_t input = net->counts[DD_NET_INPUT];
    const dd_line line = net->lines[input];
    const dd_line_plan *const plan = &net->plan->lines[input];
    const uint32_t steps = line.begin < line.end ? (uint32_t)line.end - line.begin : 0;
    return net->values + plan->at + steps * plan->channels + net->counts[DD_NET_PARTIAL];
}
