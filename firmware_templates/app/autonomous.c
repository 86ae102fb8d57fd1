/* A device that sends by itself: samples in from its source, packets out as they become ready. The
 * wire is listened to in between, so that a host can ask who this is. */
#include "board.h"
#include "dd_link.h"
#include "hello.h"
#include "source.h"

#define DD_COMMAND_SAMPLES  0x0Cu
#define DD_COMMAND_PACKET   0x0Du
#define DD_COMMAND_ANNOUNCE 0x0Eu

#define SAMPLE_BYTES      2u
#define CHUNK_BYTES       (SAMPLE_BYTES * BOARD_CHUNK_VALUES)
#define REPLY_BYTES       DD_HELLO_BYTES
#define PACKET_BODY_BYTES (DD_LINK_OVERHEAD_BYTES + APP_PACKET_BYTES_MAX)

_Static_assert(CHUNK_BYTES <= UINT16_MAX, "HELLO tells the largest request in 16 bits");

static const dd_about about = {
    .application = DD_APPLICATION_AUTONOMOUS,
    .inputs = APP_INPUTS,
    .outputs = APP_OUTPUTS,
    .levels = APP_LEVELS,
    .lossless = APP_LOSSLESS,
    .input_bytes = SAMPLE_BYTES * APP_SEGMENT_LENGTH,
    .chunk_bytes = CHUNK_BYTES,
    .request_bytes_max = CHUNK_BYTES,
    .reply_bytes_max = REPLY_BYTES,
};

static app_encoder encoder;
static dd_packet packet;
static uint8_t body[PACKET_BODY_BYTES]; /* the packet lies where its frame will be */
static uint16_t pushed;                 /* frames since the start, but for reports of faults */

static dd_link link;
static uint8_t request_bytes[CHUNK_BYTES + DD_LINK_REQUEST_SPARE_BYTES];
static uint8_t reply_bytes[REPLY_BYTES + DD_LINK_REPLY_SPARE_BYTES];
static bool greeted;

static void push(uint8_t *frame, uint8_t command, size_t payload_bytes)
{
    dd_link_push(frame, pushed, command, payload_bytes);
    pushed++;
}

/* Tell who begins: whoever listens knows that the packets before are of another run. */
static void announce(void)
{
    uint8_t frame[DD_HELLO_BYTES + DD_LINK_OVERHEAD_BYTES];
    push(frame, DD_COMMAND_ANNOUNCE, dd_hello_write(&frame[DD_LINK_HEADER_BYTES], &about));
}

static dd_status begin(void)
{
    packet.bytes = &body[DD_LINK_HEADER_BYTES];
    packet.capacity = APP_PACKET_BYTES_MAX;
    const dd_status status = app_encoder_init(&encoder, 0);
#if APP_STREAMING
    return status == DD_OK ? app_encode_begin(&encoder, APP_DEFAULT_BOUND, &packet) : status;
#else
    return status;
#endif
}

/* Give the encoder a sample; DD_PACKET_READY when it completes a segment. */
static dd_status encode(int16_t sample)
{
#if APP_STREAMING
    size_t taken = 0;
    return app_encode_push(&encoder, &sample, 1, &taken);
#else
    static int16_t segment[APP_SEGMENT_LENGTH];
    static size_t count;
    segment[count] = sample;
    count++;
    if (count < APP_SEGMENT_LENGTH) {
        return DD_OK;
    }
    count = 0;
    const dd_status status =
        app_encode(&encoder, segment, APP_SEGMENT_LENGTH, APP_DEFAULT_BOUND, &packet);
    return status == DD_OK ? DD_PACKET_READY : status;
#endif
}

static void take(int16_t sample)
{
    const dd_status status = encode(sample);
    if (status == DD_PACKET_READY) {
        push(body, DD_COMMAND_PACKET, packet.length);
    } else if (status != DD_OK) {
        dd_link_assertion_failed(); /* any sample can be encoded, into a buffer for any packet */
    }
}

/* Answer a request; false if its answer is to come later. */
static bool act(const dd_request *request, dd_status *status, size_t *bytes)
{
    *status = DD_OK;
    if (request->command == DD_COMMAND_HELLO) {
        greeted = true;
        *bytes = dd_hello_write(dd_link_payload(&link), &about);
    } else if (!greeted) {
        *status = DD_RESTARTED;
    } else if ((request->flags & DD_FLAG_GOES_ON) != 0) {
        *status = DD_BAD_FRAME; /* what it goes on from was lost */
#if BOARD_SOURCE_IS_LINK
    } else if (request->command == DD_COMMAND_SAMPLES) {
        if ((request->flags & DD_FLAG_MORE) == 0) {
            *status = request->payload_bytes % SAMPLE_BYTES == 0 ? DD_OK : DD_BAD_LENGTH;
            if (*status == DD_OK) {
                source_receive(&link, request);
                return false;
            }
        }
#endif
    } else {
        *status = DD_UNKNOWN_COMMAND;
    }
    return true;
}

static void listen(void)
{
    uint8_t byte;
    dd_request request;
    if (board_read(&byte) && dd_link_receive(&link, byte, &request)) {
        size_t bytes = 0;
        dd_status status = DD_OK;
        if (act(&request, &status, &bytes)) {
            dd_link_reply(&link, &request, status, bytes);
        }
    }
}

int main(void)
{
    board_init();
    dd_link_init(&link, (dd_link_buffer){request_bytes, sizeof request_bytes},
                 (dd_link_buffer){reply_bytes, sizeof reply_bytes});
    if (begin() != DD_OK) {
        dd_link_assertion_failed();
    }
    announce();
    source_start();
    for (;;) {
        int16_t sample;
        if (source_read(&sample)) {
            take(sample);
        } else {
            listen();
        }
    }
}
