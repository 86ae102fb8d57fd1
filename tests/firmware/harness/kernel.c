#include <stdlib.h>

#include "dd_layer.h"
#include "image.h"
#include "operations.h"

/* A kernel and what it is told of its layer: the image's root. */
typedef struct kernel_call {
    dd_kernel *run;
    const void *params;
    const int8_t *table;
} kernel_call;

typedef struct owned_view {
    dd_view view;
    int8_t *block;
} owned_view;

/* The values end where their block ends, and begin at any alignment. */
static owned_view take_view(request *from)
{
    owned_view taken = {.view.begin = take_s32(from), .view.end = take_s32(from)};
    const uint8_t skip = take_u8(from);
    const uint32_t bytes = take_u32(from);
    taken.block = exact_block(skip + (size_t)bytes);
    for (uint32_t i = 0; i < bytes; i++) {
        taken.block[skip + i] = take_s8(from);
    }
    taken.view.values = taken.block + skip;
    return taken;
}

/* Some steps of a layer, from views of exactly what it may read. Reply: what it made. */
void run_kernel(request *from)
{
    image data = take_image(from);
    const kernel_call *const call = data.root;
    owned_view taken[DD_INPUTS_MAX];
    dd_view views[DD_INPUTS_MAX];
    const uint8_t count = take_u8(from);
    for (uint8_t i = 0; i < count; i++) {
        taken[i] = take_view(from);
        views[i] = taken[i].view;
    }
    const uint32_t first = take_u32(from);
    const uint32_t steps = take_u32(from);
    const uint32_t bytes = take_u32(from);
    int8_t *const out = exact_block(bytes);
    call->run(call->params, call->table, views, first, steps, out);
    put(out, bytes);
    free(out);
    for (uint8_t i = 0; i < count; i++) {
        free(taken[i].block);
    }
    free_image(&data);
}
