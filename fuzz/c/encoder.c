/* The generated encoder: samples in any pieces give the packets that model_encode makes of whole
 * segments, within the buffer that was given; level none gives the samples back. */
#include "input.h"
#include "model_codec.h"
#include "rice_decoder.h"

#define SEGMENTS_MAX 8u
#define PAYLOAD_AT   DD_PACKET_HEADER_BYTES

typedef struct stream {
    model_encoder pushed;
    model_encoder whole;
    dd_packet packet;   /* of model_encode_push */
    dd_packet expected; /* of model_encode */
    dd_error bound;
} stream;

static void begin(stream *now, fuzz_input *input)
{
    const uint16_t number = fuzz_u16(input);
    const uint8_t choice = fuzz_u8(input);
    static const dd_error bounds[] = {0, DD_ERROR_ONE / 2, 4 * DD_ERROR_ONE, INT32_MAX};
    now->bound = bounds[choice % 4u];
    const size_t capacity = MODEL_PACKET_BYTES_MAX + (size_t)choice / 4u;
    now->packet = (dd_packet){.bytes = fuzz_block(capacity), .capacity = capacity};
    now->expected = (dd_packet){.bytes = fuzz_block(MODEL_PACKET_BYTES_MAX),
                                .capacity = MODEL_PACKET_BYTES_MAX};
    FUZZ_REQUIRE(model_encoder_init(&now->pushed, number) == DD_OK);
    FUZZ_REQUIRE(model_encoder_init(&now->whole, number) == DD_OK);
    FUZZ_REQUIRE(model_encode_begin(&now->pushed, now->bound, &now->packet) == DD_OK);
}

static void check_samples(const dd_packet *packet, const int16_t *segment)
{
    int16_t back[MODEL_SEGMENT_LENGTH];
    const size_t length = packet->length - DD_PACKET_OVERHEAD_BYTES;
    FUZZ_REQUIRE(rice_decode(packet->bytes + PAYLOAD_AT, length, back, MODEL_SEGMENT_LENGTH));
    FUZZ_REQUIRE(memcmp(back, segment, sizeof back) == 0);
}

static void check_packet(stream *now, const int16_t *segment)
{
    FUZZ_REQUIRE(model_encode(&now->whole, segment, MODEL_SEGMENT_LENGTH, now->bound,
                              &now->expected) == DD_OK);
    FUZZ_REQUIRE(now->packet.length == now->expected.length);
    FUZZ_REQUIRE(memcmp(now->packet.bytes, now->expected.bytes, now->packet.length) == 0);
    FUZZ_REQUIRE(now->packet.level == now->expected.level);
    if (now->packet.level == DD_LEVEL_NONE) {
        check_samples(&now->packet, segment);
    }
}

/* Give one segment in the pieces that the input asks for; none of its samples may be left over. */
static void push_segment(stream *now, const int16_t *segment, fuzz_input *input)
{
    size_t done = 0;
    dd_status status = DD_OK;
    while (status == DD_OK) {
        const size_t left = MODEL_SEGMENT_LENGTH - done;
        const size_t wanted = input->left == 0 ? left : fuzz_u8(input);
        const size_t count = wanted < left ? wanted : left;
        int16_t *piece = fuzz_block(count * sizeof *piece);
        memcpy(piece, segment + done, count * sizeof *piece);
        size_t taken = SIZE_MAX;
        status = model_encode_push(&now->pushed, piece, count, &taken);
        free(piece);
        FUZZ_REQUIRE(taken == count);
        done += taken;
        FUZZ_REQUIRE((status == DD_PACKET_READY) == (done == MODEL_SEGMENT_LENGTH));
    }
    FUZZ_REQUIRE(status == DD_PACKET_READY);
}

static void fill(int16_t *segment, fuzz_input *input)
{
    const uint8_t kind = fuzz_u8(input);
    const uint16_t base = fuzz_u16(input);
    for (size_t i = 0; i < MODEL_SEGMENT_LENGTH; i++) {
        const uint16_t raw = kind % 2u != 0 ? fuzz_u16(input)
                                            : (uint16_t)((int8_t)fuzz_u8(input) * (1 << kind % 8u));
        segment[i] = (int16_t)(uint16_t)(base + raw);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    static stream now;
    begin(&now, &input);
    for (uint32_t i = 0; i < SEGMENTS_MAX && input.left > 0; i++) {
        int16_t segment[MODEL_SEGMENT_LENGTH];
        fill(segment, &input);
        push_segment(&now, segment, &input);
        check_packet(&now, segment);
    }
    free(now.packet.bytes);
    free(now.expected.bytes);
    return 0;
}
