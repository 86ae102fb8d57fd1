#include <stdlib.h>
#include <string.h>

#include "layers.h"
#include "operations.h"

typedef struct network {
    uint16_t count;
    layer_request *layers;
    int8_t *values;
    uint32_t value_bytes;
    const int8_t *input;
    uint32_t input_bytes;
    dd_trace trace;
} network;

static bool on_tensor(void *context, uint8_t tensor, const int8_t *values, uint32_t count)
{
    (void)context;
    put_u8(tensor);
    put_u32(count);
    put(values, count);
    return true;
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

/* The generated plan as data: the input's offset, then of each layer its input's, its output's and
 * its first tensor's number. */
static dd_status run_layers(network *net, request *from)
{
    dd_layer_step *const steps = exact_block(net->count * sizeof *steps);
    const dd_layers_plan plan = {
        .steps = steps,
        .count = (uint8_t)net->count,
        .input = take_u32(from),
    };
    for (uint16_t i = 0; i < net->count; i++) {
        steps[i].call = &net->layers[i].call;
        steps[i].source = take_u32(from);
        steps[i].target = take_u32(from);
        net->layers[i].call.tensor = take_u8(from);
    }
    memcpy(net->values + plan.input, net->input, net->input_bytes);
    dd_status status = dd_report(&net->trace, 0, net->input, net->input_bytes);
    if (status == DD_OK) {
        status = dd_layers_run(&plan, net->values, &net->trace);
    }
    free(steps);
    return status;
}

/* What dd_codec_stream does: pushes of as many values as the request says, again and again. Every
 * value must be taken, and every push of a value must take one. */
static dd_status feed(network *net, const dd_stream *stream, const uint16_t *pushes, uint16_t count)
{
    uint32_t taken = 0;
    for (uint16_t push = 0; taken < net->input_bytes; push = (uint16_t)((push + 1) % count)) {
        const uint32_t end = taken + at_most(pushes[push], net->input_bytes - taken);
        while (taken < end) {
            const uint32_t now = at_most(dd_stream_room(stream), end - taken);
            int8_t *const space = dd_stream_space(stream);
            if (now == 0) {
                return DD_BAD_LENGTH;
            }
            memcpy(space, net->input + taken, now);
            taken += now;
            dd_status status = dd_report(&net->trace, 0, space, now);
            if (status == DD_OK) {
                status = dd_stream_run(stream, now, &net->trace);
            }
            if (status != DD_OK) {
                return status;
            }
        }
    }
    return dd_stream_room(stream) == 0 ? DD_OK : DD_BAD_LENGTH;
}

static void take_stages(request *from, const network *net, dd_stage *stages, dd_line_plan *lines)
{
    for (uint16_t i = 0; i < net->count; i++) {
        stages[i].call = &net->layers[i].call;
        stages[i].source = take_u16(from);
        stages[i].first = take_u8(from);
        net->layers[i].call.tensor = take_u8(from);
    }
    for (uint16_t i = 0; i <= net->count; i++) {
        lines[i].at = take_u32(from);
        lines[i].readers = take_u16(from);
        lines[i].reach = take_u16(from);
        lines[i].count = take_u8(from);
        lines[i].kept = take_u8(from) != 0;
    }
}

/* The generated plan as data, and the pushes. */
static dd_status run_stream(network *net, request *from)
{
    dd_stream_plan plan = {.count = net->count};
    plan.in_length = take_u16(from);
    plan.in_channels = take_u16(from);
    plan.tile = take_u8(from);
    dd_stage *const stages = exact_block(net->count * sizeof *stages);
    dd_line_plan *const lines = exact_block((net->count + 1u) * sizeof *lines);
    dd_line *const states = exact_block((net->count + 1u) * sizeof *states);
    take_stages(from, net, stages, lines);
    const uint16_t readers = take_u16(from);
    uint16_t *const list = take_block(from, readers * sizeof *list);
    const uint16_t pushes = take_u16(from);
    uint16_t *const sizes = take_block(from, pushes * sizeof *sizes);
    plan.stages = stages;
    plan.lines = lines;
    plan.readers = list;
    const dd_stream stream = {.plan = &plan, .lines = states, .values = net->values};
    dd_stream_begin(&stream);
    const dd_status status = feed(net, &stream, sizes, pushes);
    free(stages);
    free(lines);
    free(states);
    free(list);
    free(sizes);
    return status;
}

/* A whole network: both engines on a plan that comes as data, in memory of exactly its size.
 * Reply: each piece of a tensor, then 255 and the status, then all values as they are at the end.
 */
void run_network(request *from)
{
    const bool streaming = take_u8(from) != 0;
    network net = {.trace = {.on_tensor = on_tensor, .unfused = take_u8(from) != 0}};
    net.count = take_u16(from);
    net.value_bytes = take_u32(from);
    net.input_bytes = take_u32(from);
    int8_t *const input = take_block(from, net.input_bytes);
    net.input = input;
    net.layers = exact_block(net.count * sizeof *net.layers);
    for (uint16_t i = 0; i < net.count; i++) {
        take_layer(from, &net.layers[i]);
    }
    net.values = exact_block(net.value_bytes);
    const dd_status status = streaming ? run_stream(&net, from) : run_layers(&net, from);
    put_u8(UINT8_MAX);
    put_u8((uint8_t)status);
    put(net.values, net.value_bytes);
    for (uint16_t i = 0; i < net.count; i++) {
        free_layer(&net.layers[i]);
    }
    free(net.layers);
    free(net.values);
    free(input);
}
