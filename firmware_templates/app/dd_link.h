/* Frames, retries and fault reports over the board's wire, as docs/protocol.md describes them. */
#ifndef DD_LINK_H
#define DD_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dd_cobs.h"
#include "dd_fault.h"
#include "dd_status.h"

#define DD_LINK_HEADER_BYTES   4u
#define DD_LINK_CRC_BYTES      4u
#define DD_LINK_OVERHEAD_BYTES (DD_LINK_HEADER_BYTES + DD_LINK_CRC_BYTES)

/* What the caller's buffers hold besides a payload. */
#define DD_LINK_REQUEST_SPARE_BYTES (DD_LINK_OVERHEAD_BYTES + DD_LINK_HEADER_BYTES)
#define DD_LINK_REPLY_SPARE_BYTES \
    (DD_LINK_OVERHEAD_BYTES + DD_LINK_HEADER_BYTES + DD_LINK_CRC_BYTES)

/* The one command that is always acted on, and begins a conversation. */
#define DD_COMMAND_HELLO 0x01u

/* Asks for bytes of the last reply again; answered by the link itself. */
#define DD_COMMAND_REPLY 0x0Bu

/* Flags of a request whose payload comes in several frames. */
#define DD_FLAG_GOES_ON 0x40u /* behind that of the frame before */
#define DD_FLAG_MORE    0x80u /* the next frame goes on */

/* A request that the board has not acted on before. `payload` lies 4 bytes into the link's request
 * buffer, and is as aligned as that. With DD_FLAG_MORE among its flags it is but the beginning: it
 * is to be answered, not acted on. */
typedef struct dd_request {
    uint16_t sequence;
    uint8_t command;
    uint8_t flags;
    const uint8_t *payload;
    size_t payload_bytes;
    uint32_t crc;
} dd_request;

typedef struct dd_link {
    dd_cobs_decoder decoder;
    uint8_t *request; /* header and payload, as far as they came in frames before */
    size_t request_capacity;
    size_t gathered; /* bytes of them; 0: the next frame begins a request */
    uint8_t *reply;  /* the last reply's body, kept for a retry; payload space while one is made */
    size_t reply_capacity;
    size_t reply_bytes; /* 0: nothing was answered since the last HELLO */
    uint16_t last_sequence;
    uint16_t parts; /* sent in answer to the request that is acted on */
    uint32_t last_crc;
} dd_link;

/* A buffer of the caller's: payload and DD_LINK_..._SPARE_BYTES. */
typedef struct dd_link_buffer {
    uint8_t *bytes;
    size_t capacity;
} dd_link_buffer;

void dd_link_init(dd_link *link, dd_link_buffer request, dd_link_buffer reply);

/* Take one byte off the wire. True if it completes a request to act on; a repeated request is
 * answered here from memory, and noise is dropped. */
bool dd_link_receive(dd_link *link, uint8_t byte, dd_request *request);

/* Where a reply's payload is to be written. */
uint8_t *dd_link_payload(dd_link *link);

/* Send `payload_bytes` that lie in place as a part of the answer to `request`; then the payload may
 * be written again. Parts have the sequence numbers from the request's on; nobody keeps them. */
void dd_link_part(dd_link *link, const dd_request *request, size_t payload_bytes);

/* Send the reply to `request`, or the last part of it; its first `payload_bytes` of payload already
 * lie in place. They are sent only with DD_OK. */
void dd_link_reply(dd_link *link, const dd_request *request, dd_status status,
                   size_t payload_bytes);

/* Send, unasked, a body whose `payload_bytes` lie DD_LINK_HEADER_BYTES behind its beginning, with
 * room for DD_LINK_CRC_BYTES behind them. What the link keeps for retries is left alone. */
void dd_link_push(uint8_t *body, uint16_t sequence, uint8_t command, size_t payload_bytes);

/* Report a state that the application's own logic excludes, and reset. */
_Noreturn void dd_link_assertion_failed(void);

#endif
