/* dd_cobs: a frame of any bytes decodes to them, and any bytes leave the decoder within its buffer,
 * ready for the next frame. */
#include "dd_cobs.h"
#include "input.h"

#define BODY_MAX 1500u

typedef struct wire {
    uint8_t *bytes;
    size_t capacity;
    size_t length;
} wire;

static void put(void *context, const uint8_t *bytes, size_t count)
{
    wire *const out = context;
    FUZZ_REQUIRE(count >= 1 && count <= 254 && count <= out->capacity - out->length);
    memcpy(out->bytes + out->length, bytes, count);
    out->length += count;
}

/* Push a frame; it must end with its last byte, and decode to `body`. */
static void check_frame(dd_cobs_decoder *decoder, const uint8_t *body, size_t count)
{
    wire out = {fuzz_block(DD_COBS_WIRE_BYTES(count)), DD_COBS_WIRE_BYTES(count), 0};
    dd_cobs_encode(body, count, put, &out);
    FUZZ_REQUIRE(memchr(out.bytes, 0, out.length) == out.bytes + out.length - 1);
    for (size_t i = 0; i + 1 < out.length; i++) {
        FUZZ_REQUIRE(!dd_cobs_push(decoder, out.bytes[i]));
    }
    const bool ended = dd_cobs_push(decoder, 0);
    FUZZ_REQUIRE(ended == (count > 0));
    if (ended && count <= decoder->capacity) {
        FUZZ_REQUIRE(decoder->status == DD_OK && decoder->length == count);
        FUZZ_REQUIRE(memcmp(decoder->buffer, body, count) == 0);
    } else if (ended) {
        FUZZ_REQUIRE(decoder->status == DD_BUFFER_TOO_SMALL);
    }
    free(out.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    const size_t capacity = fuzz_u16(&input) % BODY_MAX;
    uint8_t *buffer = fuzz_block(capacity);
    dd_cobs_decoder decoder;
    dd_cobs_begin(&decoder, buffer, capacity);
    for (size_t i = 0; i < input.left; i++) {
        if (dd_cobs_push(&decoder, input.data[i])) {
            FUZZ_REQUIRE(decoder.length <= capacity);
        }
    }
    (void)dd_cobs_push(&decoder, 0);
    check_frame(&decoder, input.data, input.left);
    free(buffer);
    return 0;
}
