#include <string.h>

#include "commands.h"
#include "dd_bytes.h"
#include "feed.h"

/* Give the network some of its input, `most` bytes at a time. DD_OUTPUT_READY when all has come. */
static dd_status feed(dd_app *app, dd_block block, size_t most, const dd_trace *trace)
{
    const dd_net net = app_net_view(&app->application.net);
    size_t done = 0;
    while (done < block.count) {
        const size_t rest = block.count - done;
        size_t taken = 0;
        const uint64_t begin = board_ticks();
        const dd_status status =
            dd_feed(&net, &block.bytes[done], rest < most ? rest : most, &taken, trace);
        dd_app_clock(&app->inference, begin);
        if (status != DD_OK) {
            return status;
        }
        done += taken;
    }
    return dd_net_room(&net) == 0 ? DD_OUTPUT_READY : DD_OK;
}

dd_status dd_application_observe(dd_app *app, const dd_request *request, dd_block block,
                                 const dd_trace *trace)
{
    const bool single = (request->flags & DD_FLAG_SINGLE) != 0;
    dd_status status = dd_app_begin(app, request);
    if (status != DD_OK) {
        return status;
    }
    if ((request->flags & DD_FLAG_FIRST) != 0) {
        const dd_net net = app_net_view(&app->application.net);
        dd_net_begin(&net);
        app->application.complete = false;
    }
    status = feed(app, block, single ? APP_STEP_BYTES : block.count, trace);
    app->application.complete = status == DD_OUTPUT_READY;
    if (status != DD_OK) {
        app->inference.command = 0;
    }
    return status;
}

static dd_status run(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    const dd_status status = dd_application_observe(app, request, dd_app_block(request, 0), NULL);
    if (status != DD_OUTPUT_READY) {
        return status;
    }
    dd_put_u64(&reply[0], app->inference.ticks);
    dd_put_u32(&reply[8], app->inference.worst);
    *bytes = DD_RUN_BYTES;
    return DD_OK;
}

static dd_status output(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    const uint16_t number = dd_get_u16(&request->payload[0]);
    uint32_t count = dd_get_u16(&request->payload[2]);
    uint32_t begin = dd_get_u32(&request->payload[4]);
    if (!app->application.complete || number >= APP_OUTPUTS) {
        return DD_BAD_ARGUMENT;
    }
    if (begin > app_output_bytes[number] || count > app_output_bytes[number] - begin) {
        return DD_BAD_LENGTH;
    }
    const int8_t *const values = app_net_output(&app->application.net, number);
    while (count > DD_REPLY_PAYLOAD_MAX) {
        memcpy(reply, &values[begin], DD_REPLY_PAYLOAD_MAX);
        dd_link_part(&app->link, request, DD_REPLY_PAYLOAD_MAX);
        begin += DD_REPLY_PAYLOAD_MAX;
        count -= DD_REPLY_PAYLOAD_MAX;
    }
    memcpy(reply, &values[begin], count);
    *bytes = count;
    return DD_OK;
}

const dd_command dd_application_commands[DD_APPLICATION_COMMANDS] = {
    {DD_COMMAND_RUN, DD_FLAG_FIRST | DD_FLAG_SINGLE, true, 0, run},
    {DD_COMMAND_OUTPUT, 0, false, DD_OUTPUT_HEADER_BYTES, output},
};

dd_status dd_application_init(dd_application *application)
{
    const dd_net net = app_net_view(&application->net);
    dd_net_begin(&net);
    application->complete = false;
    return DD_OK;
}
