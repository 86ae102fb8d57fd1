#include "commands.h"

#include <string.h>

#include "board.h"
#include "dd_bytes.h"
#include "dd_crc32.h"
#include "dd_trace.h"

_Static_assert(DD_REQUEST_PAYLOAD_MAX <= UINT16_MAX, "HELLO tells the largest request in 16 bits");
_Static_assert(sizeof(dd_reply_payload) <= UINT16_MAX, "HELLO tells the largest reply in 16 bits");
_Static_assert(DD_LINK_HEADER_BYTES % sizeof(int16_t) == 0 &&
                   DD_TENSOR_HEADER_BYTES % sizeof(int16_t) == 0,
               "samples lie at whole int16 of the request");
_Static_assert(DD_TENSORS <= 255 && DD_CONSTANTS <= 255, "HELLO tells both numbers in 8 bits");
_Static_assert(sizeof(BOARD_NAME) <= 256 && sizeof(DD_KIT_VERSION) <= 256,
               "text has an 8-bit length");
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Segments are used as they come over the wire: the board must be little-endian."
#endif

/* Act on `request` and write the reply's payload; `*bytes` is its length. */
typedef dd_status (*command_function)(dd_app *app, const dd_request *request, uint8_t *reply,
                                      size_t *bytes);

typedef struct command {
    uint8_t code;
    uint8_t flags; /* that it knows */
    size_t payload_bytes;
    bool samples; /* behind the payload, 1 to BOARD_CHUNK_SAMPLES of them */
    command_function act;
} command;

static size_t put_text(uint8_t *out, const char *text)
{
    const size_t length = strlen(text);
    out[0] = (uint8_t)length;
    memcpy(&out[1], text, length);
    return length + 1u;
}

static dd_status hello(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    static const uint8_t model_id[8] = DD_MODEL_ID_BYTES;
    (void)request;
    app->greeted = true;
    reply[0] = DD_PROTOCOL_VERSION;
    memcpy(&reply[1], model_id, sizeof model_id);
    dd_put_u16(&reply[9], DD_SEGMENT_LENGTH);
    dd_put_u16(&reply[11], DD_SAMPLE_RATE_HZ);
    reply[13] = DD_LEVELS;
    reply[14] = DD_TENSORS;
    reply[15] = DD_CONSTANTS;
    reply[16] = BOARD_COUNTER_UNIT;
    dd_put_u32(&reply[17], BOARD_COUNTER_HZ);
    dd_put_u16(&reply[21], BOARD_CHUNK_SAMPLES);
    reply[23] = DD_LOSSLESS;
    reply[24] = DD_STREAMING;
    reply[25] = DD_KERNELS;
    dd_put_u16(&reply[26], (uint16_t)DD_REQUEST_PAYLOAD_MAX);
    dd_put_u16(&reply[28], (uint16_t)DD_REPLY_PAYLOAD_MAX);
    *bytes = 30;
    *bytes += put_text(&reply[*bytes], BOARD_NAME);
    *bytes += put_text(&reply[*bytes], DD_KIT_VERSION);
    return DD_OK;
}

/* The samples of a request, which follow `header` bytes of something else. */
typedef struct sample_block {
    const int16_t *samples;
    size_t count;
} sample_block;

static sample_block samples_of(const dd_app *app, const dd_request *request, size_t header)
{
    const size_t before = (DD_LINK_HEADER_BYTES + header) / sizeof(int16_t);
    return (sample_block){&app->request[before],
                          (request->payload_bytes - header) / sizeof(int16_t)};
}

/* Count the ticks of one call. */
static void clock_call(dd_segment *segment, uint64_t begin)
{
    const uint64_t ticks = board_ticks() - begin;
    segment->ticks += ticks;
    segment->worst = ticks > segment->worst ? (uint32_t)ticks : segment->worst;
}

/* A segment that came at once. */
static dd_status encode_whole(dd_app *app, sample_block block)
{
    const uint64_t begin = board_ticks();
    const dd_status status =
        dd_encode(&app->encoder, block.samples, block.count, app->bound, &app->segment.packet);
    clock_call(&app->segment, begin);
    return status == DD_OK ? DD_PACKET_READY : status;
}

#if DD_STREAMING
static dd_status encode_piece(dd_app *app, sample_block block, size_t step)
{
    dd_status status = DD_OK;
    size_t done = 0;
    while (status == DD_OK && done < block.count) {
        const size_t count = step < block.count - done ? step : block.count - done;
        size_t taken = 0;
        const uint64_t begin = board_ticks();
        status = dd_push(&app->encoder, &block.samples[done], count, &taken);
        clock_call(&app->segment, begin);
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
    if (first) {
        app->segment.command = request->command;
        app->segment.ticks = 0;
        app->segment.worst = 0;
        app->segment.packet.bytes = space.bytes;
        app->segment.packet.capacity = space.capacity;
    } else if (app->segment.command != request->command) {
        return DD_BAD_ARGUMENT; /* no segment was begun by this command */
    }
    dd_status status = DD_BAD_LENGTH;
    if (first && !single && block.count == DD_SEGMENT_LENGTH &&
        space.capacity >= DD_PACKET_BYTES_MAX) {
        status = encode_whole(app, block);
#if DD_STREAMING
    } else {
        status = first ? dd_begin(&app->encoder, app->bound, &app->segment.packet) : DD_OK;
        if (status == DD_OK) {
            status = encode_piece(app, block, single ? 1u : block.count);
        }
#endif
    }
    if (status != DD_OK) {
        app->segment.command = 0;
    }
    return status;
}

static dd_status run(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    /* The replies in between are shorter than the header, so that the packet can grow behind it. */
    const dd_link_buffer space = {&reply[DD_RUN_HEADER_BYTES], DD_PACKET_BYTES_MAX};
    const dd_status status = encode(app, request, samples_of(app, request, 0), space);
    *bytes = 0;
    if (status != DD_PACKET_READY) {
        return status;
    }
    const dd_segment *const segment = &app->segment;
    reply[0] = segment->packet.level;
    reply[1] = DD_LEVELS;
    for (size_t i = 0; i < DD_LEVELS; i++) {
        dd_put_u32(&reply[2u + 4u * i], (uint32_t)segment->packet.predicted[i]);
    }
    dd_put_u64(&reply[2u + 4u * DD_LEVELS], segment->ticks);
    dd_put_u32(&reply[10u + 4u * DD_LEVELS], segment->worst);
    dd_put_u16(&reply[14u + 4u * DD_LEVELS], segment->packet.clipped);
    *bytes = DD_RUN_HEADER_BYTES + segment->packet.length;
    return DD_OK;
}

/* Where an observed run may put the packet that nobody wants. The layers engine writes it at the
 * very end, so that the reply's place will do. */
static dd_link_buffer space_for_nothing(dd_app *app)
{
#if DD_STREAMING
    return (dd_link_buffer){app->spare, sizeof app->spare};
#else
    return (dd_link_buffer){dd_link_payload(&app->link), DD_PACKET_BYTES_MAX};
#endif
}

/* Run the encoder under observation. The stream's sequence goes on as if nothing had been asked. */
static dd_status observe(dd_app *app, const dd_request *request, sample_block block,
                         const dd_trace *trace)
{
    const dd_link_buffer space = space_for_nothing(app);
    const uint16_t sequence = app->encoder.state.sequence;
    app->encoder.state.trace = trace;
    const dd_status status = encode(app, request, block, space);
    app->encoder.state.trace = NULL;
    app->encoder.state.sequence = sequence;
    /* Samples that do not fit the space are no loss: nobody wants them. */
    return status == DD_BUFFER_TOO_SMALL ? DD_PACKET_READY : status;
}

typedef struct trace_log {
    dd_seen *seen;
    uint64_t begin; /* of what runs */
} trace_log;

static bool log_tensor(void *context, uint8_t tensor, const int8_t *values, uint32_t count)
{
    trace_log *log = context;
    dd_seen *const seen = &log->seen[tensor];
    seen->ticks += (uint32_t)(board_ticks() - log->begin);
    seen->crc = dd_crc32(seen->crc, values, count);
    seen->values += count;
    log->begin = board_ticks();
    return true;
}

static dd_status trace(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    if ((request->flags & DD_FLAG_FIRST) != 0) {
        memset(app->seen, 0, sizeof app->seen);
    }
    trace_log log = {.seen = app->seen, .begin = board_ticks()};
    const dd_trace watch = {
        .on_tensor = log_tensor,
        .context = &log,
        .unfused = (request->flags & DD_FLAG_UNFUSED) != 0,
    };
    const dd_status status = observe(app, request, samples_of(app, request, 0), &watch);
    *bytes = 0;
    if (status != DD_PACKET_READY) {
        return status;
    }
    if (app->seen[DD_TENSORS - 1u].values == 0) {
        dd_link_assertion_failed(); /* a packet was made of what nobody computed */
    }
    for (size_t i = 0; i < DD_TENSORS; i++) {
        if (app->seen[i].values != 0) {
            uint8_t *const entry = &reply[*bytes];
            entry[0] = (uint8_t)i;
            dd_put_u32(&entry[1], app->seen[i].crc);
            dd_put_u32(&entry[5], app->seen[i].ticks);
            *bytes += DD_TRACE_ENTRY_BYTES;
        }
    }
    return DD_OK;
}

/* A piece of one tensor that the host wants. Values come in the order in which they are made; those
 * that this request's samples bring about go into its reply. */
typedef struct tensor_wish {
    uint8_t tensor;
    uint32_t begin;
    uint32_t end;
    uint32_t *seen; /* values of the tensor so far */
    uint8_t *out;
    size_t bytes;
} tensor_wish;

static bool copy_tensor(void *context, uint8_t tensor, const int8_t *values, uint32_t count)
{
    tensor_wish *wish = context;
    if (tensor != wish->tensor) {
        return true;
    }
    const uint32_t from = wish->begin > *wish->seen ? wish->begin : *wish->seen;
    const uint32_t stop = *wish->seen + count;
    const uint32_t end = wish->end < stop ? wish->end : stop;
    if (from < end) {
        memcpy(&wish->out[wish->bytes], &values[from - *wish->seen], end - from);
        wish->bytes += end - from;
    }
    *wish->seen = stop;
    return stop < wish->end;
}

static dd_status tensor(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    const uint8_t *payload = request->payload;
    const uint32_t begin = dd_get_u32(&payload[4]);
    const uint32_t count = dd_get_u16(&payload[2]);
    if (count > DD_REPLY_PAYLOAD_MAX) {
        return DD_BUFFER_TOO_SMALL;
    }
    if (payload[0] >= DD_TENSORS || begin > UINT32_MAX - count) {
        return DD_BAD_ARGUMENT;
    }
    if ((request->flags & DD_FLAG_FIRST) != 0) {
        app->seen[payload[0]].values = 0;
    }
    tensor_wish wish = {
        .tensor = payload[0],
        .begin = begin,
        .end = begin + count,
        .seen = &app->seen[payload[0]].values,
        .out = reply,
    };
    const dd_trace watch = {
        .on_tensor = copy_tensor,
        .context = &wish,
        .unfused = (request->flags & DD_FLAG_UNFUSED) != 0,
    };
    const dd_status status =
        observe(app, request, samples_of(app, request, DD_TENSOR_HEADER_BYTES), &watch);
    *bytes = wish.bytes;
    if (status == DD_STOPPED || status == DD_OK) {
        return DD_OK;
    }
    if (status != DD_PACKET_READY) {
        return status;
    }
    /* The segment is over: the tensor was shorter than the piece, or never seen. */
    return *wish.seen == 0 ? DD_BAD_ARGUMENT : DD_BAD_LENGTH;
}

static dd_status constants(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    (void)app;
    (void)request;
    for (size_t i = 0; i < DD_CONSTANTS; i++) {
        dd_put_u32(&reply[4u * i], dd_crc32(0, dd_constants[i].data, dd_constants[i].bytes));
    }
    *bytes = 4u * DD_CONSTANTS;
    return DD_OK;
}

static dd_status memory(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    (void)app;
    (void)request;
    dd_put_u32(&reply[0], board_stack_bytes());
    dd_put_u32(&reply[4], board_stack_peak_bytes());
    *bytes = 8;
    return DD_OK;
}

static dd_status bound(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    const dd_error wanted = (dd_error)dd_get_u32(request->payload);
    if (wanted >= 0) {
        app->bound = wanted;
    }
    dd_put_u32(&reply[0], (uint32_t)app->bound);
    *bytes = 4;
    return DD_OK;
}

static dd_status reset(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    (void)reply;
    *bytes = 0;
    return dd_encoder_init(&app->encoder, dd_get_u16(request->payload));
}

static const command commands[] = {
    {DD_COMMAND_HELLO, 0, 0, false, hello},
    {DD_COMMAND_RUN, DD_FLAG_FIRST | DD_FLAG_SINGLE, 0, true, run},
    {DD_COMMAND_TRACE, DD_FLAG_FIRST | DD_FLAG_UNFUSED, 0, true, trace},
    {DD_COMMAND_TENSOR, DD_FLAG_FIRST | DD_FLAG_UNFUSED, DD_TENSOR_HEADER_BYTES, true, tensor},
    {DD_COMMAND_CONSTANTS, 0, 0, false, constants},
    {DD_COMMAND_MEMORY, 0, 0, false, memory},
    {DD_COMMAND_BOUND, 0, 4, false, bound},
    {DD_COMMAND_RESET, 0, 2, false, reset},
};

static const command *find_command(uint8_t code)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].code == code) {
            return &commands[i];
        }
    }
    return NULL;
}

static bool is_length_right(const command *known, size_t bytes)
{
    if (!known->samples || bytes <= known->payload_bytes) {
        return !known->samples && bytes == known->payload_bytes;
    }
    const size_t samples = bytes - known->payload_bytes;
    return samples % sizeof(int16_t) == 0 && samples <= DD_CHUNK_BYTES;
}

static dd_status act(dd_app *app, const dd_request *request, size_t *bytes)
{
    /* A reset lost the bound and the sequence: a host that has not noticed must not go on. */
    if (!app->greeted && request->command != DD_COMMAND_HELLO) {
        return DD_RESTARTED;
    }
    const command *known = find_command(request->command);
    if (known == NULL) {
        return DD_UNKNOWN_COMMAND;
    }
    if (!is_length_right(known, request->payload_bytes)) {
        return DD_BAD_LENGTH;
    }
    if ((request->flags & ~(uint32_t)known->flags) != 0) {
        return DD_BAD_ARGUMENT;
    }
    if (app->segment.command != known->code) {
        app->segment.command = 0; /* the reply takes the room of the packet that was under way */
    }
    return known->act(app, request, dd_link_payload(&app->link), bytes);
}

void dd_app_init(dd_app *app)
{
    app->bound = DD_DEFAULT_BOUND;
    app->greeted = false;
    app->segment = (dd_segment){.command = 0};
    dd_link_init(&app->link, (dd_link_buffer){(uint8_t *)app->request, sizeof app->request},
                 (dd_link_buffer){app->reply, sizeof app->reply});
    if (dd_encoder_init(&app->encoder, 0) != DD_OK) {
        dd_link_assertion_failed();
    }
}

void dd_app_receive(dd_app *app, uint8_t byte)
{
    dd_request request;
    if (dd_link_receive(&app->link, byte, &request)) {
        size_t bytes = 0;
        const dd_status status = act(app, &request, &bytes);
        dd_link_reply(&app->link, &request, status, bytes);
    }
}
