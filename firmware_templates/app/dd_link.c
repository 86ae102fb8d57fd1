#include "dd_link.h"

#include <string.h>

#include "board.h"
#include "dd_bytes.h"
#include "dd_crc32.h"

#define FAULT_COMMAND       0xFFu
#define FAULT_SEQUENCE      0xFFFFu
#define FAULT_PAYLOAD_BYTES (22u + 4u * DD_FAULT_REGISTERS)

#define REPLY_WISH_BYTES 6u /* sequence number of the request, offset, count */

/* Take the next frame behind the first `gathered` bytes of a request. */
static void listen(dd_link *link, size_t gathered)
{
    link->gathered = gathered;
    dd_cobs_begin(&link->decoder, &link->request[gathered], link->request_capacity - gathered);
}

void dd_link_init(dd_link *link, dd_link_buffer request, dd_link_buffer reply)
{
    *link = (dd_link){
        .request = request.bytes,
        .request_capacity = request.capacity,
        .reply = &reply.bytes[DD_LINK_HEADER_BYTES],
        .reply_capacity = reply.capacity - DD_LINK_HEADER_BYTES - DD_LINK_CRC_BYTES,
    };
    listen(link, 0);
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

/* Head the body of `bytes`, close it with its CRC, and return its size with both. */
static size_t seal(uint8_t *body, uint32_t sequence, uint8_t command, dd_status status,
                   size_t payload_bytes)
{
    const size_t bytes = DD_LINK_HEADER_BYTES + payload_bytes;
    dd_put_u16(&body[0], (uint16_t)sequence);
    body[2] = command;
    body[3] = (uint8_t)status;
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

/* Send a piece of the last reply's body, in place: the head that it needs is laid over what is
 * before it, and its CRC over what is behind. */
static void send_piece(dd_link *link, const dd_request *request)
{
    const bool known = request->payload_bytes == REPLY_WISH_BYTES && link->reply_bytes != 0 &&
                       dd_get_u16(&request->payload[0]) == link->last_sequence;
    size_t offset = known ? dd_get_u16(&request->payload[2]) : 0;
    size_t count = known ? dd_get_u16(&request->payload[4]) : 0;
    offset = offset < link->reply_bytes ? offset : link->reply_bytes;
    count = count < link->reply_bytes - offset ? count : link->reply_bytes - offset;
    uint8_t *const piece = &link->reply[offset];
    uint8_t *const body = piece - DD_LINK_HEADER_BYTES;
    uint8_t before[DD_LINK_HEADER_BYTES];
    uint8_t behind[DD_LINK_CRC_BYTES];
    memcpy(before, body, sizeof before);
    memcpy(behind, &piece[count], sizeof behind);
    const dd_status status = known ? DD_OK : DD_BAD_ARGUMENT;
    send_frame(body, seal(body, request->sequence, request->command, status, count));
    memcpy(body, before, sizeof before);
    memcpy(&piece[count], behind, sizeof behind);
}

/* Lay a frame behind those that its payload goes on from, or at the beginning, and make room for
 * the next. */
static void gather(dd_link *link, dd_request *request)
{
    uint8_t *const begin = link->request;
    size_t end = DD_LINK_HEADER_BYTES;
    if (link->gathered != 0 && (request->flags & DD_FLAG_GOES_ON) != 0 &&
        request->command == begin[2]) {
        end = link->gathered;
        request->flags &= (uint8_t)~DD_FLAG_GOES_ON;
    }
    for (size_t i = 0; i < request->payload_bytes; i++) { /* towards lower addresses, or in place */
        begin[end + i] = request->payload[i];
    }
    begin[2] = request->command;
    end += request->payload_bytes;
    request->payload = &begin[DD_LINK_HEADER_BYTES];
    request->payload_bytes = end - DD_LINK_HEADER_BYTES;
    listen(link, (request->flags & DD_FLAG_MORE) != 0 ? end : 0);
}

bool dd_link_receive(dd_link *link, uint8_t byte, dd_request *request)
{
    if (!dd_cobs_push(&link->decoder, byte)) {
        return false;
    }
    if (link->decoder.status == DD_BUFFER_TOO_SMALL && link->gathered != 0) {
        listen(link, 0); /* what was begun was given up: its next try has all the room */
    }
    if (link->decoder.status != DD_OK || !parse(link, request)) {
        return false;
    }
    if (is_repeated(link, request)) {
        send_frame(link->reply, link->reply_bytes);
        return false;
    }
    if (request->command == DD_COMMAND_REPLY) {
        send_piece(link, request);
        return false;
    }
    gather(link, request);
    link->parts = 0;
    return true;
}

uint8_t *dd_link_payload(dd_link *link)
{
    return &link->reply[DD_LINK_HEADER_BYTES];
}

static void send_reply(dd_link *link, const dd_request *request, dd_status status, size_t bytes)
{
    if (bytes + DD_LINK_OVERHEAD_BYTES > link->reply_capacity) {
        dd_link_assertion_failed();
    }
    const uint32_t sequence = (uint32_t)request->sequence + link->parts;
    link->reply_bytes = seal(link->reply, sequence, request->command, status, bytes);
    send_frame(link->reply, link->reply_bytes);
}

void dd_link_part(dd_link *link, const dd_request *request, size_t payload_bytes)
{
    send_reply(link, request, DD_ANSWER_PART, payload_bytes);
    link->parts++;
}

void dd_link_reply(dd_link *link, const dd_request *request, dd_status status, size_t payload_bytes)
{
    send_reply(link, request, status, status == DD_OK ? payload_bytes : 0u);
    link->last_sequence = request->sequence;
    link->last_crc = request->crc;
}

void dd_link_push(uint8_t *body, uint16_t sequence, uint8_t command, size_t payload_bytes)
{
    send_frame(body, seal(body, sequence, command, DD_OK, payload_bytes));
}

/* What was being sent is cut off by a zero. */
void dd_send_fault(const dd_fault *fault)
{
    uint8_t body[DD_LINK_OVERHEAD_BYTES + FAULT_PAYLOAD_BYTES];
    body[4] = fault->kind;
    body[5] = fault->exception;
    dd_put_u32(&body[6], fault->pc);
    dd_put_u32(&body[10], fault->lr);
    dd_put_u32(&body[14], fault->status);
    dd_put_u32(&body[18], fault->address);
    dd_put_u32(&body[22], fault->xpsr);
    for (size_t i = 0; i < DD_FAULT_REGISTERS; i++) {
        dd_put_u32(&body[26u + 4u * i], fault->registers[i]);
    }
    dd_link_push(body, FAULT_SEQUENCE, FAULT_COMMAND, FAULT_PAYLOAD_BYTES);
}

_Noreturn void dd_link_assertion_failed(void)
{
    const dd_fault fault = {
        .kind = DD_FAULT_ASSERTION,
        .pc = (uint32_t)(uintptr_t)__builtin_return_address(0),
    };
    dd_send_fault(&fault);
    board_reset();
}
