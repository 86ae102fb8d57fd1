#include "dd_link.h"

#include "board.h"
#include "dd_bytes.h"
#include "dd_crc32.h"

#define FAULT_COMMAND       0xFFu
#define FAULT_SEQUENCE      0xFFFFu
#define FAULT_PAYLOAD_BYTES 14u

void dd_link_init(dd_link *link, dd_link_buffer request, dd_link_buffer reply)
{
    *link = (dd_link){.reply = reply.bytes, .reply_capacity = reply.capacity};
    dd_cobs_begin(&link->decoder, request.bytes, request.capacity);
}

static void write_wire(void *context, const uint8_t *bytes, size_t count)
{
    (void)context;
    board_write(bytes, count);
}

/* Send a body as a frame, with a zero before it: whatever came before, it begins afresh. */
static void send_frame(const uint8_t *body, size_t bytes)
{
    static const uint8_t end = 0;
    board_write(&end, 1);
    dd_cobs_encode(body, bytes, write_wire, NULL);
}

/* Close the body of `bytes` with its CRC; returns its size with it. */
static size_t seal(uint8_t *body, size_t bytes)
{
    dd_put_u32(&body[bytes], dd_crc32(0, body, bytes));
    return bytes + DD_LINK_CRC_BYTES;
}

static bool parse(const dd_link *link, dd_request *request)
{
    const uint8_t *body = link->decoder.buffer;
    const size_t length = link->decoder.length;
    if (length < DD_LINK_OVERHEAD_BYTES) {
        return false;
    }
    const uint32_t crc = dd_get_u32(&body[length - DD_LINK_CRC_BYTES]);
    if (crc != dd_crc32(0, body, length - DD_LINK_CRC_BYTES)) {
        return false; /* its sequence number cannot be believed: the host will ask again */
    }
    *request = (dd_request){
        .sequence = dd_get_u16(&body[0]),
        .command = body[2],
        .flags = body[3],
        .payload = &body[DD_LINK_HEADER_BYTES],
        .payload_bytes = length - DD_LINK_OVERHEAD_BYTES,
        .crc = crc,
    };
    return true;
}

static bool is_repeated(const dd_link *link, const dd_request *request)
{
    return link->reply_bytes != 0 && request->command != DD_COMMAND_HELLO &&
           request->sequence == link->last_sequence && request->crc == link->last_crc;
}

bool dd_link_receive(dd_link *link, uint8_t byte, dd_request *request)
{
    if (!dd_cobs_push(&link->decoder, byte) || link->decoder.status != DD_OK ||
        !parse(link, request)) {
        return false;
    }
    if (is_repeated(link, request)) {
        send_frame(link->reply, link->reply_bytes);
        return false;
    }
    return true;
}

uint8_t *dd_link_payload(dd_link *link)
{
    return &link->reply[DD_LINK_HEADER_BYTES];
}

void dd_link_reply(dd_link *link, const dd_request *request, dd_status status, size_t payload_bytes)
{
    const size_t bytes = DD_LINK_HEADER_BYTES + (status == DD_OK ? payload_bytes : 0u);
    if (bytes + DD_LINK_CRC_BYTES > link->reply_capacity) {
        dd_link_assertion_failed();
    }
    dd_put_u16(&link->reply[0], request->sequence);
    link->reply[2] = request->command;
    link->reply[3] = (uint8_t)status;
    link->reply_bytes = seal(link->reply, bytes);
    link->last_sequence = request->sequence;
    link->last_crc = request->crc;
    send_frame(link->reply, link->reply_bytes);
}

void dd_link_send_fault(const dd_fault *fault)
{
    uint8_t body[DD_LINK_OVERHEAD_BYTES + FAULT_PAYLOAD_BYTES];
    dd_put_u16(&body[0], FAULT_SEQUENCE);
    body[2] = FAULT_COMMAND;
    body[3] = (uint8_t)DD_OK;
    body[4] = fault->kind;
    body[5] = fault->exception;
    dd_put_u32(&body[6], fault->pc);
    dd_put_u32(&body[10], fault->lr);
    dd_put_u32(&body[14], fault->status);
    send_frame(body, seal(body, DD_LINK_HEADER_BYTES + FAULT_PAYLOAD_BYTES));
}

_Noreturn void dd_link_assertion_failed(void)
{
    const dd_fault fault = {
        .kind = DD_FAULT_ASSERTION,
        .pc = (uint32_t)(uintptr_t)__builtin_return_address(0),
    };
    dd_link_send_fault(&fault);
    board_reset();
}
