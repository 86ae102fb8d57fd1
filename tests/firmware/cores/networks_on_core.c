/* Runs networks on an emulated core, each twice: as parity watches it, each table in a pass of its
 * own, and as it runs by itself. Prints each run's status, then the CRC of each tensor. */
#include <string.h>

#include "dd_crc32.h"
#include "network_cases.h"
#include "startup.h"

static bool on_tensor(void *context, uint16_t tensor, const int8_t *values, uint32_t count)
{
    (void)context;
    network_crcs[tensor] = dd_crc32(network_crcs[tensor], values, count);
    return true;
}

static dd_status feed(const network_case *of, const dd_net *net, const dd_trace *trace)
{
    dd_net_begin(net);
    for (uint32_t taken = 0; taken < of->bytes;) {
        uint32_t count = dd_net_room(net);
        count = count < of->push ? count : of->push;
        count = count < of->bytes - taken ? count : of->bytes - taken;
        if (count == 0) {
            return DD_BAD_LENGTH;
        }
        memcpy(dd_net_space(net), of->input + taken, count);
        taken += count;
        const dd_status status = dd_net_run(net, count, trace);
        if (status != DD_OK) {
            return status;
        }
    }
    return DD_OK;
}

static void run_network(const network_case *of, bool unfused)
{
    const dd_net net = {of->plan, network_lines, network_counts, network_values};
    const dd_trace trace = {.on_tensor = on_tensor, .unfused = unfused};
    memset(network_crcs, 0, of->tensors * sizeof network_crcs[0]);
    core_print((uint32_t)feed(of, &net, &trace), 0);
    for (uint32_t tensor = 0; tensor < of->tensors; tensor++) {
        core_print(network_crcs[tensor], 0);
    }
}

void run_cases(void)
{
    for (uint32_t i = 0; i < network_count; i++) {
        run_network(&network_cases[i], true);
        run_network(&network_cases[i], false);
    }
}
