#include <stdlib.h>

#include "dd_lookup_s8.h"
#include "dd_net.h"
#include "image.h"
#include "operations.h"

#define DISJOINT (-1)

typedef struct memory {
    int8_t *in;
    int8_t *out;
    void *blocks[2]; /* to be freed */
} memory;

/* `lead`: bytes from the beginning of the output to that of the input in one buffer, or DISJOINT.
 */
static memory place(request *from, size_t in_bytes, size_t out_bytes, int32_t lead)
{
    memory to = {.blocks = {NULL, NULL}};
    if (lead == DISJOINT) {
        to.in = to.blocks[0] = take_block(from, in_bytes);
        to.out = to.blocks[1] = exact_block(out_bytes);
        return to;
    }
    const size_t in_end = (size_t)lead + in_bytes;
    to.out = to.blocks[1] = exact_block(in_end > out_bytes ? in_end : out_bytes);
    to.in = to.out + lead;
    for (size_t i = 0; i < in_bytes; i++) {
        to.in[i] = take_s8(from);
    }
    return to;
}

/* Counts down to the tensor at which the observer asks to stop. */
static bool on_tensor(void *context, uint16_t tensor, const int8_t *values, uint32_t count)
{
    uint8_t *left = context;
    put_u16(tensor);
    put_u32(count);
    put(values, count);
    return --*left != 0;
}

/* A stage over all steps of one input. Reply: each tensor that was reported, then UINT16_MAX and
 * the status, then the output. */
void run_layer(request *from)
{
    image data = take_image(from);
    const dd_stage *const stage = data.root;
    const int32_t lead = take_s32(from);
    uint8_t tensors_wanted = take_u8(from);
    const bool unfused = take_u8(from) != 0;
    const uint32_t steps = take_u32(from);
    const uint16_t channels = take_u16(from);
    const uint32_t in_steps = take_u32(from);
    const size_t out_bytes = (size_t)steps * channels;
    const memory at = place(from, from->left, out_bytes, lead);
    const dd_view in = {at.in, 0, (int32_t)in_steps};
    const dd_trace trace = {.on_tensor = on_tensor, .context = &tensors_wanted, .unfused = unfused};
    const dd_status status =
        dd_stage_run(stage, &in, 0, steps, channels, at.out, tensors_wanted == 0 ? NULL : &trace);
    put_u16(UINT16_MAX);
    put_u8((uint8_t)status);
    put(at.out, out_bytes);
    free(at.blocks[0]);
    free(at.blocks[1]);
    free_image(&data);
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
