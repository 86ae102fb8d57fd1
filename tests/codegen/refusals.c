/* Call the encoder wrongly in every way; the exit status numbers the first check that fails. */
#include <stdbool.h>

#include "model_codec.h"

static model_encoder encoder;
static int16_t segment[MODEL_SEGMENT_LENGTH];
static uint8_t bytes[MODEL_PACKET_BYTES_MAX];

static bool stop(void *context, uint16_t tensor, const int8_t *values, uint32_t count)
{
    (void)context;
    (void)values;
    (void)count;
    return tensor != 1;
}

static dd_status encode(size_t length, dd_error bound, size_t capacity)
{
    dd_packet packet = {.bytes = bytes, .capacity = capacity};
    return model_encode(&encoder, segment, length, bound, &packet);
}

int main(void)
{
    const dd_trace trace = {.on_tensor = stop, .context = 0, .unfused = true};
    dd_packet packet = {.bytes = bytes, .capacity = sizeof bytes};
    if (model_encoder_init(0, 0) != DD_BAD_ARGUMENT || model_encoder_init(&encoder, 0) != DD_OK) {
        return 1;
    }
    if (encode(MODEL_SEGMENT_LENGTH - 1, 0, sizeof bytes) != DD_BAD_LENGTH) {
        return 2;
    }
    if (encode(MODEL_SEGMENT_LENGTH, -1, sizeof bytes) != DD_BAD_ARGUMENT) {
        return 3;
    }
    if (encode(MODEL_SEGMENT_LENGTH, 0, sizeof bytes - 1) != DD_BUFFER_TOO_SMALL) {
        return 4;
    }
    if (model_encode(&encoder, 0, MODEL_SEGMENT_LENGTH, 0, &packet) != DD_BAD_ARGUMENT ||
        model_encode(&encoder, segment, MODEL_SEGMENT_LENGTH, 0, 0) != DD_BAD_ARGUMENT ||
        model_encode(0, segment, MODEL_SEGMENT_LENGTH, 0, &packet) != DD_BAD_ARGUMENT) {
        return 5;
    }
    encoder.state.trace = &trace;
    if (encode(MODEL_SEGMENT_LENGTH, 0, sizeof bytes) != DD_STOPPED ||
        encoder.state.sequence != 0) {
        return 6;
    }
    encoder.state.trace = 0;
    if (encode(MODEL_SEGMENT_LENGTH, 0, sizeof bytes) != DD_OK || encoder.state.sequence != 1) {
        return 7;
    }
    return 0;
}
