#include "commands.h"

#include <string.h>

#include "board.h"
#include "dd_bytes.h"
#include "dd_crc32.h"
#include "dd_trace.h"

_Static_assert(DD_REQUEST_PAYLOAD_MAX <= UINT16_MAX, "HELLO tells the largest request in 16 bits");
_Static_assert(sizeof(dd_reply_payload) <= UINT16_MAX, "HELLO tells the largest reply in 16 bits");
_Static_assert(DD_TENSORS <= 255 && DD_CONSTANTS <= 255, "HELLO tells both numbers in 8 bits");
_Static_assert(sizeof(BOARD_NAME) <= 256 && sizeof(DD_KIT_VERSION) <= 256, "text has an 8-bit length");
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Segments are used as they come over the wire: the board must be little-endian."
#endif

/* Act on `request` and write the reply's payload; `*bytes` is its length. */
typedef dd_status (*command_function)(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes);

typedef struct command {
    uint8_t code;
    uint8_t flags; /* that it knows */
    size_t payload_bytes;
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
    dd_put_u32(&reply[21], 0);
    dd_put_u16(&reply[25], (uint16_t)DD_REQUEST_PAYLOAD_MAX);
    dd_put_u16(&reply[27], (uint16_t)DD_REPLY_PAYLOAD_MAX);
    *bytes = 29;
    *bytes += put_text(&reply[*bytes], BOARD_NAME);
    *bytes += put_text(&reply[*bytes], DD_KIT_VERSION);
    return DD_OK;
}

static const int16_t *samples_at(const uint8_t *payload)
{
    return (const int16_t *)(const void *)payload; /* the request buffer is aligned for it */
}

static dd_status run(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    dd_packet packet = {.bytes = &reply[DD_RUN_HEADER_BYTES], .capacity = DD_PACKET_BYTES_MAX};
    const uint64_t begin = board_ticks();
    const dd_status status =
        dd_encode(&app->encoder, samples_at(request->payload), DD_SEGMENT_LENGTH, app->bound, &packet);
    const uint64_t ticks = board_ticks() - begin;
    reply[0] = packet.level;
    reply[1] = DD_LEVELS;
    for (size_t i = 0; i < DD_LEVELS; i++) {
        dd_put_u32(&reply[2u + 4u * i], (uint32_t)packet.predicted[i]);
    }
    dd_put_u64(&reply[2u + 4u * DD_LEVELS], ticks);
    *bytes = DD_RUN_HEADER_BYTES + packet.length;
    return status;
}

/* Run the encoder under observation. It is stopped before it makes a packet, so that the stream's
 * sequence goes on as if nothing had been asked. */
static dd_status observe(dd_app *app, const int16_t *segment, const dd_trace *trace, uint8_t *packet_space)
{
    dd_packet packet = {.bytes = packet_space, .capacity = DD_PACKET_BYTES_MAX};
    const uint16_t sequence = app->encoder.sequence;
    app->encoder.trace = trace;
    const dd_status status = dd_encode(&app->encoder, segment, DD_SEGMENT_LENGTH, app->bound, &packet);
    app->encoder.trace = NULL;
    app->encoder.sequence = sequence;
    return status;
}

typedef struct trace_log {
    uint8_t *entries;
    size_t bytes;
    uint64_t begin; /* of the layer that runs */
} trace_log;

static bool log_tensor(void *context, uint8_t tensor, const int8_t *values, uint32_t count)
{
    trace_log *log = context;
    const uint64_t ticks = board_ticks() - log->begin;
    uint8_t *entry = &log->entries[log->bytes];
    entry[0] = tensor;
    dd_put_u32(&entry[1], dd_crc32(0, values, count));
    dd_put_u32(&entry[5], (uint32_t)ticks);
    log->bytes += DD_TRACE_ENTRY_BYTES;
    log->begin = board_ticks();
    return tensor != DD_TENSORS - 1;
}

static dd_status trace(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    trace_log log = {.entries = reply, .begin = board_ticks()};
    const dd_trace watch = {
        .on_tensor = log_tensor,
        .context = &log,
        .unfused = (request->flags & DD_FLAG_UNFUSED) != 0,
    };
    const dd_status status = observe(app, samples_at(request->payload), &watch, reply);
    if (status == DD_OK) {
        dd_link_assertion_failed(); /* a packet lies over the log: the last tensor was not reported */
    }
    *bytes = log.bytes;
    return status == DD_STOPPED ? DD_OK : status;
}

/* A piece of one tensor that the host wants. */
typedef struct tensor_wish {
    uint8_t tensor;
    uint16_t count;
    uint32_t offset;
    uint8_t *out;
    dd_status status;
} tensor_wish;

static bool copy_tensor(void *context, uint8_t tensor, const int8_t *values, uint32_t count)
{
    tensor_wish *wish = context;
    if (tensor != wish->tensor) {
        return true;
    }
    if (wish->offset > count || wish->count > count - wish->offset) {
        wish->status = DD_BAD_LENGTH;
        return false;
    }
    memcpy(wish->out, &values[wish->offset], wish->count);
    wish->status = DD_OK;
    return false;
}

static dd_status tensor(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    const uint8_t *payload = request->payload;
    tensor_wish wish = {
        .tensor = payload[0],
        .count = dd_get_u16(&payload[2]),
        .offset = dd_get_u32(&payload[4]),
        .out = reply,
        .status = DD_BAD_ARGUMENT, /* unless the run sees the tensor */
    };
    const dd_trace watch = {
        .on_tensor = copy_tensor,
        .context = &wish,
        .unfused = (request->flags & DD_FLAG_UNFUSED) != 0,
    };
    if (wish.count > DD_REPLY_PAYLOAD_MAX) {
        return DD_BUFFER_TOO_SMALL;
    }
    const dd_status status = observe(app, samples_at(&payload[DD_TENSOR_HEADER_BYTES]), &watch, reply);
    *bytes = wish.count;
    return (status == DD_OK || status == DD_STOPPED) ? wish.status : status;
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
    {DD_COMMAND_HELLO, 0, 0, hello},
    {DD_COMMAND_RUN, 0, DD_SEGMENT_BYTES, run},
    {DD_COMMAND_TRACE, DD_FLAG_UNFUSED, DD_SEGMENT_BYTES, trace},
    {DD_COMMAND_TENSOR, DD_FLAG_UNFUSED, DD_TENSOR_HEADER_BYTES + DD_SEGMENT_BYTES, tensor},
    {DD_COMMAND_CONSTANTS, 0, 0, constants},
    {DD_COMMAND_MEMORY, 0, 0, memory},
    {DD_COMMAND_BOUND, 0, 4, bound},
    {DD_COMMAND_RESET, 0, 2, reset},
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

static dd_status act(dd_app *app, const dd_request *request, size_t *bytes)
{
    const command *known = find_command(request->command);
    if (known == NULL) {
        return DD_UNKNOWN_COMMAND;
    }
    if (request->payload_bytes != known->payload_bytes) {
        return DD_BAD_LENGTH;
    }
    if ((request->flags & ~(uint32_t)known->flags) != 0) {
        return DD_BAD_ARGUMENT;
    }
    /* A reset lost the bound and the sequence: a host that has not noticed must not go on. */
    if (!app->greeted && known->code != DD_COMMAND_HELLO) {
        return DD_RESTARTED;
    }
    return known->act(app, request, dd_link_payload(&app->link), bytes);
}

void dd_app_init(dd_app *app)
{
    app->bound = DD_DEFAULT_BOUND;
    app->greeted = false;
    dd_link_init(&app->link, (dd_link_buffer){app->request.bytes, sizeof app->request.bytes},
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
