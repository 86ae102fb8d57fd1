#include <string.h>

#include "commands.h"
#include "dd_bytes.h"

/* Samples, where they were received. */
typedef struct sample_block {
    const int16_t *samples;
    size_t count;
} sample_block;

static sample_block samples_of(const dd_app *app, dd_block block)
{
    const void *const bytes = &app->request[block.bytes - app->request];
    return (sample_block){bytes, block.count / sizeof(int16_t)};
}

/* A segment that came at once. */
static dd_status encode_whole(dd_app *app, sample_block block)
{
    dd_application *const codec = &app->application;
    const uint64_t begin = board_ticks();
    const dd_status status =
        app_encode(&codec->encoder, block.samples, block.count, codec->bound, &codec->packet);
    dd_app_clock(&app->inference, begin);
    return status == DD_OK ? DD_PACKET_READY : status;
}

#if APP_STREAMING
static dd_status encode_piece(dd_app *app, sample_block block, size_t step)
{
    dd_status status = DD_OK;
    size_t done = 0;
    while (status == DD_OK && done < block.count) {
        const size_t count = step < block.count - done ? step : block.count - done;
        size_t taken = 0;
        const uint64_t begin = board_ticks();
        status = app_encode_push(&app->application.encoder, &block.samples[done], count, &taken);
        dd_app_clock(&app->inference, begin);
        done += taken;
    }
    return status == DD_PACKET_READY && done < block.count ? DD_BAD_LENGTH : status;
}
#endif

/* Give samples to the encoder. DD_OK while the segment lacks some; DD_PACKET_READY when it is
 * complete. The packet is made in `space`. */
static dd_status encode(dd_app *app, const dd_request *request, sample_block block,
                        dd_link_buffer space)
{
    const bool first = (request->flags & DD_FLAG_FIRST) != 0;
    const bool single = (request->flags & DD_FLAG_SINGLE) != 0;
    dd_packet *const packet = &app->application.packet;
    dd_status status = dd_app_begin(app, request);
    if (status != DD_OK) {
        return status; /* no segment was begun by this command */
    }
    if (first) {
        packet->bytes = space.bytes;
        packet->capacity = space.capacity;
    }
    status = DD_BAD_LENGTH;
    if (first && !single && block.count == APP_SEGMENT_LENGTH &&
        space.capacity >= APP_PACKET_BYTES_MAX) {
        status = encode_whole(app, block);
#if APP_STREAMING
    } else {
        dd_application *const codec = &app->application;
        status = first ? app_encode_begin(&codec->encoder, codec->bound, packet) : DD_OK;
        if (status == DD_OK) {
            status = encode_piece(app, block, single ? 1u : block.count);
        }
#endif
    }
    if (status != DD_OK) {
        app->inference.command = 0;
    }
    return status;
}

static dd_status encode_segment(dd_app *app, const dd_request *request, uint8_t *reply,
                                size_t *bytes)
{
    /* The replies in between are shorter than the header, so that the packet can grow behind it. */
    const dd_link_buffer space = {&reply[DD_ENCODE_HEADER_BYTES], APP_PACKET_BYTES_MAX};
    const sample_block block = samples_of(app, dd_app_block(request, 0));
    const dd_status status = encode(app, request, block, space);
    if (status != DD_PACKET_READY) {
        return status;
    }
    const dd_packet *const packet = &app->application.packet;
    reply[0] = packet->level;
    reply[1] = APP_LEVELS;
    for (size_t i = 0; i < APP_LEVELS; i++) {
        dd_put_u32(&reply[2u + 4u * i], (uint32_t)packet->predicted[i]);
    }
    dd_put_u64(&reply[2u + 4u * APP_LEVELS], app->inference.ticks);
    dd_put_u32(&reply[10u + 4u * APP_LEVELS], app->inference.worst);
    dd_put_u16(&reply[14u + 4u * APP_LEVELS], packet->clipped);
    *bytes = DD_ENCODE_HEADER_BYTES + packet->length;
    return DD_OK;
}

/* Where an observed run may put the packet that nobody wants. The layers engine writes it at the
 * very end, so that the reply's place will do. */
static dd_link_buffer space_for_nothing(dd_app *app)
{
#if APP_STREAMING
    return (dd_link_buffer){app->application.spare, sizeof app->application.spare};
#else
    return (dd_link_buffer){dd_link_payload(&app->link), APP_PACKET_BYTES_MAX};
#endif
}

dd_status dd_application_observe(dd_app *app, const dd_request *request, dd_block block,
                                 const dd_trace *trace)
{
    const dd_link_buffer space = space_for_nothing(app);
    dd_codec_state *const state = &app->application.encoder.state;
    const uint16_t sequence = state->sequence;
    state->trace = trace;
    const dd_status status = encode(app, request, samples_of(app, block), space);
    state->trace = NULL;
    state->sequence = sequence;
    /* Samples that do not fit the space are no loss: nobody wants them. */
    return status == DD_BUFFER_TOO_SMALL || status == DD_PACKET_READY ? DD_OUTPUT_READY : status;
}

static dd_status bound(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    const dd_error new_bound = (dd_error)dd_get_u32(request->payload);
    if (new_bound >= 0) {
        app->application.bound = new_bound;
    }
    dd_put_u32(&reply[0], (uint32_t)app->application.bound);
    *bytes = 4;
    return DD_OK;
}

static dd_status reset(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    (void)reply;
    (void)bytes;
    app_encoder *const encoder = &app->application.encoder;
    const dd_status status = app_encoder_init(encoder, dd_get_u16(&request->payload[0]));
    encoder->state.sequence = dd_get_u16(&request->payload[2]);
    return status;
}

const dd_command dd_application_commands[DD_APPLICATION_COMMANDS] = {
    {DD_COMMAND_ENCODE, DD_FLAG_FIRST | DD_FLAG_SINGLE, true, 0, encode_segment},
    {DD_COMMAND_BOUND, 0, false, 4, bound},
    {DD_COMMAND_RESET, 0, false, 4, reset},
};

dd_status dd_application_init(dd_application *application)
{
    application->bound = APP_DEFAULT_BOUND;
    return app_encoder_init(&application->encoder, 0);
}
