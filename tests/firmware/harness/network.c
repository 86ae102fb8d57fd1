#include <stdlib.h>
#include <string.h>

#include "dd_net.h"
#include "image.h"
#include "operations.h"

static bool on_tensor(void *context, uint16_t tensor, const int8_t *values, uint32_t count)
{
    (void)context;
    put_u16(tensor);
    put_u32(count);
    put(values, count);
    return true;
}

static const dd_trace trace = {.on_tensor = on_tensor, .unfused = true};

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

/* Pushes of as many values as the request says, again and again. Every value must be taken, and
 * every push of a value must take one. */
static dd_status feed(const dd_net *net, request *from, const uint16_t *pushes, uint16_t count)
{
    const uint32_t bytes = (uint32_t)from->left;
    uint32_t taken = 0;
    dd_net_begin(net);
    for (uint16_t push = 0; taken < bytes; push = (uint16_t)((push + 1) % count)) {
        const uint32_t end = taken + at_most(pushes[push], bytes - taken);
        while (taken < end) {
            const uint32_t now = at_most(dd_net_room(net), end - taken);
            if (now == 0) {
                return DD_BAD_LENGTH;
            }
            int8_t *const input = take_block(from, now);
            memcpy(dd_net_space(net), input, now);
            free(input);
            taken += now;
            const dd_status status = dd_net_run(net, now, &trace);
            if (status != DD_OK) {
                return status;
            }
        }
    }
    return dd_net_room(net) == 0 ? DD_OK : DD_BAD_LENGTH;
}

/* A whole network: an engine on a plan that comes as data, in memory of exactly its size. Reply:
 * each piece of a tensor, then UINT16_MAX and the status, then all values as they are at the end.
 */
void run_network(request *from)
{
    image data = take_image(from);
    const dd_net_plan *const plan = data.root;
    const uint32_t value_bytes = take_u32(from);
    const uint16_t pushes = take_u16(from);
    uint16_t *const sizes = take_block(from, pushes * sizeof *sizes);
    const size_t lines = (size_t)plan->inputs + plan->count;
    const dd_net net = {
        .plan = plan,
        .lines = exact_block(lines * sizeof *net.lines),
        .counts = exact_block((plan->source_count + plan->count + 3u) * sizeof *net.counts),
        .values = exact_block(value_bytes),
    };
    const dd_status status = feed(&net, from, sizes, pushes);
    put_u16(UINT16_MAX);
    put_u8((uint8_t)status);
    put(net.values, value_bytes);
    free(net.lines);
    free(net.counts);
    free(net.values);
    free(sizes);
    free_image(&data);
}
