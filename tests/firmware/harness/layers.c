#include <stdlib.h>

#include "layers.h"
#include "operations.h"

#define DISJOINT (-1)

typedef struct conv1d_request {
    layer_request of;
    int8_t *in;
    int8_t *out;
    void *blocks[2]; /* to be freed */
} conv1d_request;

static void take_geometry(request *from, dd_call *call, dd_conv1d *layer)
{
    call->in_length = take_u16(from);
    call->out_length = take_u16(from);
    layer->in_channels = take_u16(from);
    layer->out_channels = take_u16(from);
    layer->kernel = take_u8(from);
    layer->stride = take_u8(from);
    layer->pad_before = take_u8(from);
    layer->in_zero_point = take_s8(from);
    layer->out_zero_point = take_s8(from);
    layer->out_min = take_s8(from);
    layer->out_max = take_s8(from);
    layer->doubles = take_u8(from) != 0;
}

/* `lead`: bytes from the beginning of the output to that of the input in one buffer, or DISJOINT.
 */
static void place(conv1d_request *to, request *from, int32_t lead)
{
    const dd_conv1d *const layer = &to->of.layer;
    const size_t in_bytes = (size_t)to->of.call.in_length * layer->in_channels;
    const size_t out_bytes = (size_t)to->of.call.out_length * layer->out_channels;
    to->blocks[0] = NULL;
    if (lead == DISJOINT) {
        to->in = to->blocks[0] = take_block(from, in_bytes);
        to->out = to->blocks[1] = exact_block(out_bytes);
        return;
    }
    const size_t in_end = (size_t)lead + in_bytes;
    int8_t *shared = to->blocks[1] = exact_block(in_end > out_bytes ? in_end : out_bytes);
    to->out = shared;
    to->in = shared + lead;
    for (size_t i = 0; i < in_bytes; i++) {
        to->in[i] = take_s8(from);
    }
}

void take_layer(request *from, layer_request *to)
{
    dd_conv1d *layer = &to->layer;
    take_geometry(from, &to->call, layer);
    to->call.layer = layer;
    const bool has_table = take_u8(from) != 0;
    const size_t channels = layer->out_channels;
    const size_t rows = DD_WEIGHT_ROWS(channels);
    layer->weights = to->blocks[0] =
        take_block(from, rows * DD_ROW_BYTES((uint32_t)layer->kernel * layer->in_channels));
    layer->bias = to->blocks[1] = take_block(from, channels * sizeof(int32_t));
    layer->multiplier = to->blocks[2] = take_block(from, channels * sizeof(int32_t));
    layer->shift = to->blocks[3] = take_block(from, channels);
    to->call.table = to->blocks[4] = has_table ? take_block(from, 256) : NULL;
}

void free_layer(layer_request *done)
{
    for (size_t i = 0; i < sizeof done->blocks / sizeof done->blocks[0]; i++) {
        free(done->blocks[i]);
    }
}

static void take_conv1d(request *from, conv1d_request *to)
{
    const int32_t lead = take_s32(from);
    take_layer(from, &to->of);
    place(to, from, lead);
}

static void free_conv1d(conv1d_request *done)
{
    free_layer(&done->of);
    free(done->blocks[0]);
    free(done->blocks[1]);
}

void run_conv1d(request *from)
{
    conv1d_request conv;
    take_conv1d(from, &conv);
    const dd_call *const call = &conv.of.call;
    const dd_view in = {conv.in, 0, call->in_length};
    dd_conv1d_s8(&conv.of.layer, call->table, &in, 0, call->out_length, conv.out);
    put(conv.out, (size_t)call->out_length * conv.of.layer.out_channels);
    free_conv1d(&conv);
}

/* Counts down to the tensor at which the observer asks to stop. */
static bool on_tensor(void *context, uint8_t tensor, const int8_t *values, uint32_t count)
{
    uint8_t *left = context;
    put_u8(tensor);
    put_u32(count);
    put(values, count);
    return --*left != 0;
}

/* Reply: each tensor that was reported, then 255 and the status. */
void run_layer_conv1d(request *from)
{
    uint8_t tensors_wanted = take_u8(from);
    const bool unfused = take_u8(from) != 0;
    const uint8_t tensor = take_u8(from);
    const dd_trace trace = {.on_tensor = on_tensor, .context = &tensors_wanted, .unfused = unfused};
    conv1d_request conv;
    take_conv1d(from, &conv);
    conv.of.call.layer = &conv.of.layer;
    conv.of.call.tensor = tensor;
    const dd_status status =
        dd_layer_whole(&conv.of.call, conv.in, conv.out, tensors_wanted == 0 ? NULL : &trace);
    put_u8(UINT8_MAX);
    put_u8((uint8_t)status);
    free_conv1d(&conv);
}

void run_lookup(request *from)
{
    int8_t *table = take_block(from, 256);
    const size_t count = from->left;
    int8_t *values = take_block(from, count);
    dd_lookup_s8(table, values, (uint32_t)count);
    put(values, count);
    free(values);
    free(table);
}
