#include "commands.h"

#include <string.h>

#include "dd_bytes.h"
#include "dd_crc32.h"

_Static_assert(DD_REQUEST_PAYLOAD_MAX <= UINT16_MAX, "HELLO tells the largest request in 16 bits");
_Static_assert(sizeof(dd_reply_payload) <= UINT16_MAX, "HELLO tells the largest reply in 16 bits");
_Static_assert(DD_LINK_HEADER_BYTES % 4u == 0 && DD_TENSOR_HEADER_BYTES % 4u == 0,
               "the input lies at a multiple of 4 bytes of the request");
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "The input is used as it comes over the wire: the board must be little-endian."
#endif

static dd_status hello(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    static const dd_about about = {
        .application = APP_KIND,
        .inputs = APP_INPUTS,
        .outputs = APP_OUTPUTS,
        .levels = APP_LEVELS,
        .lossless = APP_LOSSLESS,
        .input_bytes = DD_INPUT_BYTES,
        .chunk_bytes = DD_CHUNK_BYTES,
        .request_bytes_max = (uint16_t)DD_REQUEST_PAYLOAD_MAX,
        .reply_bytes_max = (uint16_t)DD_REPLY_PAYLOAD_MAX,
    };
    (void)request;
    app->greeted = true;
    *bytes = dd_hello_write(reply, &about);
    return DD_OK;
}

void dd_app_clock(dd_inference *inference, uint64_t begin)
{
    const uint64_t ticks = board_ticks() - begin;
    inference->ticks += ticks;
    inference->worst = ticks > inference->worst ? (uint32_t)ticks : inference->worst;
}

typedef struct trace_log {
    dd_seen *seen;
    uint64_t begin; /* of what runs */
} trace_log;

static bool log_tensor(void *context, uint16_t tensor, const int8_t *values, uint32_t count)
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
    const dd_status status = dd_application_observe(app, request, dd_app_block(request, 0), &watch);
    if (status != DD_OUTPUT_READY) {
        return status;
    }
    if (app->seen[APP_TENSORS - 1u].values == 0) {
        dd_link_assertion_failed(); /* it was completed by what nobody computed */
    }
    for (size_t i = 0; i < APP_TENSORS; i++) {
        if (app->seen[i].values != 0) {
            uint8_t *const entry = &reply[*bytes];
            dd_put_u16(&entry[0], (uint16_t)i);
            dd_put_u32(&entry[2], app->seen[i].crc);
            dd_put_u32(&entry[6], app->seen[i].ticks);
            *bytes += DD_TRACE_ENTRY_BYTES;
        }
    }
    return DD_OK;
}

/* A piece of one tensor that the host wants. Values come in the order in which they are made; those
 * that this request's input brings about go into its reply, and as many parts as they fill. */
typedef struct tensor_wish {
    dd_link *link;
    const dd_request *request;
    uint16_t tensor;
    uint32_t begin;
    uint32_t end;
    uint32_t *seen; /* values of the tensor so far */
    uint8_t *out;
    size_t bytes;
} tensor_wish;

static bool copy_tensor(void *context, uint16_t tensor, const int8_t *values, uint32_t count)
{
    tensor_wish *wish = context;
    if (tensor != wish->tensor) {
        return true;
    }
    uint32_t from = wish->begin > *wish->seen ? wish->begin : *wish->seen;
    const uint32_t stop = *wish->seen + count;
    const uint32_t end = wish->end < stop ? wish->end : stop;
    while (from < end) {
        if (wish->bytes == DD_REPLY_PAYLOAD_MAX) {
            dd_link_part(wish->link, wish->request, wish->bytes);
            wish->bytes = 0;
        }
        const uint32_t room = DD_REPLY_PAYLOAD_MAX - (uint32_t)wish->bytes;
        const uint32_t piece = end - from < room ? end - from : room;
        memcpy(&wish->out[wish->bytes], &values[from - *wish->seen], piece);
        wish->bytes += piece;
        from += piece;
    }
    *wish->seen = stop;
    return stop < wish->end;
}

static dd_status tensor(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    const uint8_t *payload = request->payload;
    const uint16_t number = dd_get_u16(&payload[0]);
    const uint32_t begin = dd_get_u32(&payload[4]);
    const uint32_t count = dd_get_u16(&payload[2]);
    if (number >= APP_TENSORS || begin > UINT32_MAX - count) {
        return DD_BAD_ARGUMENT;
    }
    if ((request->flags & DD_FLAG_FIRST) != 0) {
        app->seen[number].values = 0;
    }
    tensor_wish wish = {
        .link = &app->link,
        .request = request,
        .tensor = number,
        .begin = begin,
        .end = begin + count,
        .seen = &app->seen[number].values,
        .out = reply,
    };
    const dd_trace watch = {
        .on_tensor = copy_tensor,
        .context = &wish,
        .unfused = (request->flags & DD_FLAG_UNFUSED) != 0,
    };
    const dd_status status =
        dd_application_observe(app, request, dd_app_block(request, DD_TENSOR_HEADER_BYTES), &watch);
    *bytes = wish.bytes;
    if (status == DD_STOPPED || status == DD_OK) {
        return DD_OK;
    }
    if (status != DD_OUTPUT_READY) {
        return status;
    }
    /* The inference is over: the tensor was shorter than the piece, or never seen. */
    return *wish.seen == 0 ? DD_BAD_ARGUMENT : DD_BAD_LENGTH;
}

static dd_status constants(dd_app *app, const dd_request *request, uint8_t *reply, size_t *bytes)
{
    (void)app;
    (void)request;
    (void)reply;
#if APP_CONSTANTS > 0
    for (size_t i = 0; i < APP_CONSTANTS; i++) {
        dd_put_u32(&reply[4u * i], dd_crc32(0, app_constants[i].data, app_constants[i].bytes));
    }
#endif
    *bytes = 4u * APP_CONSTANTS;
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

static const dd_command commands[] = {
    {DD_COMMAND_HELLO, 0, false, 0, hello},
    {DD_COMMAND_TRACE, DD_FLAG_FIRST | DD_FLAG_UNFUSED, true, 0, trace},
    {DD_COMMAND_TENSOR, DD_FLAG_FIRST | DD_FLAG_UNFUSED, true, DD_TENSOR_HEADER_BYTES, tensor},
    {DD_COMMAND_CONSTANTS, 0, false, 0, constants},
    {DD_COMMAND_MEMORY, 0, false, 0, memory},
};

static const dd_command *find(const dd_command *table, size_t count, uint8_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].code == code) {
            return &table[i];
        }
    }
    return NULL;
}

static const dd_command *find_command(uint8_t code)
{
    const dd_command *command = find(commands, sizeof commands / sizeof commands[0], code);
    return command != NULL ? command : find(dd_application_commands, DD_APPLICATION_COMMANDS, code);
}

static bool is_length_right(const dd_command *known, size_t bytes)
{
    if (!known->input || bytes <= known->payload_bytes) {
        return !known->input && bytes == known->payload_bytes;
    }
    const size_t input = bytes - known->payload_bytes;
    return input % DD_INPUT_VALUE_BYTES == 0 && input <= DD_CHUNK_BYTES;
}

static dd_status act(dd_app *app, const dd_request *request, size_t *bytes)
{
    /* A reset lost the bound and the sequence: a host that has not noticed must not go on. */
    if (!app->greeted && request->command != DD_COMMAND_HELLO) {
        return DD_RESTARTED;
    }
    if ((request->flags & DD_FLAG_GOES_ON) != 0) {
        return DD_BAD_FRAME; /* what it goes on from was lost */
    }
    if ((request->flags & DD_FLAG_MORE) != 0) {
        return DD_OK; /* the rest of it is still to come */
    }
    const dd_command *known = find_command(request->command);
    if (known == NULL) {
        return DD_UNKNOWN_COMMAND;
    }
    if (!is_length_right(known, request->payload_bytes)) {
        return DD_BAD_LENGTH;
    }
    if ((request->flags & ~(uint32_t)known->flags) != 0) {
        return DD_BAD_ARGUMENT;
    }
    if (app->inference.command != known->code) {
        app->inference.command = 0; /* the reply takes the room of the packet that was under way */
    }
    return known->act(app, request, dd_link_payload(&app->link), bytes);
}

void dd_app_init(dd_app *app)
{
    app->greeted = false;
    app->inference = (dd_inference){.command = 0};
    dd_link_init(&app->link, (dd_link_buffer){app->request, sizeof app->request},
                 (dd_link_buffer){app->reply, sizeof app->reply});
    if (dd_application_init(&app->application) != DD_OK) {
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
