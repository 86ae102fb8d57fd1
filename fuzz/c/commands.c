/* The firmware's link and commands: any bytes, and any requests in sound frames. What it answers is
 * always a sound frame that belongs to a request, and it never fails an assertion of its own. */
#include "commands.h"
#include "dd_bytes.h"
#include "dd_crc32.h"
#include "input.h"
#include "wire.h"

#define BODY_MAX (DD_REQUEST_PAYLOAD_MAX + DD_LINK_OVERHEAD_BYTES + 64u)

enum { RAW_BYTES, SOUND_FRAME, SAMPLES, HELLO, KINDS };

static dd_app app;
static uint8_t reply[sizeof(dd_reply_payload) + 2u * DD_LINK_OVERHEAD_BYTES];
static dd_cobs_decoder replies;
static uint8_t last_request[3]; /* sequence number and command of the last sound frame */
static bool framed;             /* it was sent by send_body(), not found among raw bytes */

/* The parts of an answer have the numbers from the request's on. */
static bool is_of_last_request(void)
{
    const uint16_t part = (uint16_t)(dd_get_u16(reply) - dd_get_u16(last_request));
    return reply[2] == last_request[2] && (part == 0 || reply[2] == DD_COMMAND_TENSOR);
}

void wire_take(uint8_t byte)
{
    if (!dd_cobs_push(&replies, byte)) {
        return;
    }
    FUZZ_REQUIRE(replies.status == DD_OK && replies.length >= DD_LINK_OVERHEAD_BYTES);
    const size_t body = replies.length - DD_LINK_CRC_BYTES;
    FUZZ_REQUIRE(dd_get_u32(&reply[body]) == dd_crc32(0, reply, body));
    FUZZ_REQUIRE(!framed || is_of_last_request());
    FUZZ_REQUIRE(reply[3] == DD_OK || reply[3] == DD_ANSWER_PART || body == DD_LINK_HEADER_BYTES);
}

static void to_board(void *context, const uint8_t *bytes, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        dd_app_receive(&app, bytes[i]);
    }
}

/* Send a body with the CRC that makes it sound. */
static void send_body(uint8_t *body, size_t bytes)
{
    framed = true;
    memcpy(last_request, body, sizeof last_request);
    dd_put_u32(&body[bytes], dd_crc32(0, body, bytes));
    dd_cobs_encode(body, bytes + DD_LINK_CRC_BYTES, to_board, NULL);
}

/* A request with any head, and a payload of the input's bytes and length. */
static void send_any(fuzz_input *input)
{
    static uint8_t body[BODY_MAX + DD_LINK_CRC_BYTES];
    (void)fuzz_take(input, body, DD_LINK_HEADER_BYTES);
    body[2] = (uint8_t)(body[2] % 16u == 15u ? body[2] : body[2] % 12u);
    const size_t length = fuzz_u16(input) % (BODY_MAX - DD_LINK_HEADER_BYTES);
    (void)fuzz_take(input, &body[DD_LINK_HEADER_BYTES], length);
    send_body(body, DD_LINK_HEADER_BYTES + length);
}

/* A request of the right form that carries samples: ENCODE, TRACE or TENSOR. */
static void send_samples(fuzz_input *input)
{
    static const uint8_t with_input[] = {DD_COMMAND_ENCODE, DD_COMMAND_TRACE, DD_COMMAND_TENSOR};
    static uint8_t body[BODY_MAX + DD_LINK_CRC_BYTES];
    const uint8_t choice = fuzz_u8(input);
    dd_put_u16(&body[0], fuzz_u16(input));
    body[2] = with_input[choice % sizeof with_input];
    body[3] = (uint8_t)(choice >> 5);
    size_t at = DD_LINK_HEADER_BYTES;
    if (body[2] == DD_COMMAND_TENSOR) {
        (void)fuzz_take(input, &body[at], DD_TENSOR_HEADER_BYTES);
        dd_put_u32(&body[at + 4], dd_get_u32(&body[at + 4]) % 1024u);
        at += DD_TENSOR_HEADER_BYTES;
    }
    const size_t samples = 1u + fuzz_u8(input) % BOARD_CHUNK_VALUES;
    const int16_t base = (int16_t)fuzz_u16(input);
    for (size_t i = 0; i < samples; i++) {
        dd_put_u16(&body[at + 2 * i], (uint16_t)(base + 16 * (int8_t)fuzz_u8(input)));
    }
    send_body(body, at + 2 * samples);
}

static void send_raw(fuzz_input *input)
{
    uint8_t bytes[255];
    const size_t count = fuzz_take(input, bytes, fuzz_u8(input));
    framed = false; /* what is answered now is a frame of the input's own, CRC and all */
    for (size_t i = 0; i < count; i++) {
        dd_app_receive(&app, bytes[i]);
    }
    dd_app_receive(&app, 0);
}

static void send_hello(fuzz_input *input)
{
    uint8_t body[DD_LINK_OVERHEAD_BYTES];
    dd_put_u16(&body[0], fuzz_u16(input));
    body[2] = DD_COMMAND_HELLO;
    body[3] = 0;
    send_body(body, DD_LINK_HEADER_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const actions[KINDS])(fuzz_input *) = {
        [RAW_BYTES] = send_raw,
        [SOUND_FRAME] = send_any,
        [SAMPLES] = send_samples,
        [HELLO] = send_hello,
    };
    fuzz_input input = {data, size};
    memset(&app, 0, sizeof app);
    dd_cobs_begin(&replies, reply, sizeof reply);
    board_init();
    dd_app_init(&app);
    while (input.left > 0) {
        actions[fuzz_u8(&input) % KINDS](&input);
    }
    return 0;
}
