#include "dd_codec.h"

#include <string.h>

#define RANGE_BYTES 4u

/* Numbers start anew after the last one. */
static void use_up_number(const dd_codec *codec)
{
    codec->state->sequence = (uint16_t)(codec->state->sequence + 1u);
}

/* Give samples to the network, or as many of them as the segment lacks. */
static dd_status feed(const dd_codec *codec, const int16_t *samples, size_t count, size_t *taken)
{
    const size_t missing = (size_t)codec->plan->segment_length - codec->state->taken;
    const size_t now = count < missing ? count : missing;
    dd_status status = DD_OK;
    if (codec->state->taken == 0) {
        codec->state->clipped = 0;
        dd_net_begin(&codec->net);
    }
    *taken = 0;
    while (status == DD_OK && *taken < now) {
        const size_t left = now - *taken;
        const uint32_t room = dd_net_room(&codec->net);
        const uint32_t piece = left < room ? (uint32_t)left : room;
        if (room == 0) {
            use_up_number(codec); /* the segment is lost: the receiver sees the gap */
            status = DD_STALLED;
            break;
        }
        codec->state->clipped = (uint16_t)(codec->state->clipped +
                                           codec->plan->map(codec->plan->map_by, samples + *taken,
                                                            dd_net_space(&codec->net), piece));
        *taken += piece;
        status = dd_net_run(&codec->net, piece, codec->state->trace);
    }
    codec->state->taken = (uint16_t)(codec->state->taken + *taken);
    return status;
}

static bool is_complete(const dd_codec *codec)
{
    return codec->state->taken == codec->plan->segment_length;
}

/* What each level's error is predicted to be, and the level that is sent for it. */
static void decide(const dd_codec *codec, dd_error bound, dd_packet *packet)
{
    const dd_codec_plan *const plan = codec->plan;
    for (size_t i = 0; i < plan->level_count; i++) {
        const int8_t code = codec->net.values[plan->outputs[i].error];
        codec->predicted[i] = dd_predicted_error(&plan->levels[i], code);
    }
    packet->predicted = codec->predicted;
    packet->clipped = codec->state->clipped;
    packet->level =
        dd_choose_level(&plan->knots, plan->levels, codec->predicted, plan->level_count, bound);
    if (packet->level == DD_LEVEL_NONE && plan->lossless == NULL) {
        packet->level = 1;
    }
}

static uint8_t *payload_of(const dd_packet *packet)
{
    return packet->bytes + DD_PACKET_HEADER_BYTES;
}

/* Write the payload of a level but none, and return its size. */
static size_t put_codes(const dd_codec *codec, uint8_t level, uint8_t *at)
{
    const dd_output *const output = &codec->plan->outputs[level - 1];
    memcpy(at, codec->net.values + output->latent, output->codes);
    return output->codes;
}

static uint8_t *put_i16(int16_t value, uint8_t *at)
{
    at[0] = (uint8_t)((uint16_t)value & 0xFFu);
    at[1] = (uint8_t)((uint16_t)value >> 8);
    return at + 2;
}

/* Without it the scale of a segment that was scaled by its own range would be lost. */
static uint8_t *put_range(dd_range range, uint8_t *at)
{
    return put_i16(range.high, put_i16(range.low, at));
}

/* A segment that does not fit its buffer uses up its number too: the receiver sees the gap. */
static dd_status seal(const dd_codec *codec, size_t payload_bytes, dd_packet *packet)
{
    const dd_packet_header header = {
        .model_id = codec->plan->model_id,
        .stream = codec->state->stream,
        .sequence = codec->state->sequence,
        .level = packet->level,
        .quantization = 0,
    };
    use_up_number(codec);
    return dd_packet_seal(&header, (uint16_t)payload_bytes, packet->bytes, packet->capacity,
                          &packet->length);
}

static dd_status check(dd_error bound, const dd_packet *packet, size_t least)
{
    if (packet == NULL || packet->bytes == NULL || bound < 0) {
        return DD_BAD_ARGUMENT;
    }
    return packet->capacity < least ? DD_BUFFER_TOO_SMALL : DD_OK;
}

void dd_codec_init(const dd_codec *codec, uint16_t stream)
{
    *codec->state = (dd_codec_state){.stream = stream};
}

dd_status dd_codec_begin(const dd_codec *codec, dd_error bound, dd_packet *packet)
{
    const dd_status status = check(bound, packet, codec->plan->packet_bytes_coded);
    if (status == DD_OK) {
        codec->state->bound = bound;
        codec->state->packet = packet;
        codec->state->taken = 0;
    }
    return status;
}

/* Begin to write the samples where the packet has its payload: until now the last one was the
 * caller's. */
static void begin_lossless(const dd_codec *codec)
{
    const dd_packet *const packet = codec->state->packet;
    codec->plan->lossless->begin(codec->coder, payload_of(packet),
                                 packet->capacity - DD_PACKET_OVERHEAD_BYTES);
}

/* Make the packet of a segment that came in pieces. */
static dd_status finish(const dd_codec *codec)
{
    dd_packet *const packet = codec->state->packet;
    decide(codec, codec->state->bound, packet);
    const size_t bytes = packet->level == DD_LEVEL_NONE
                             ? codec->plan->lossless->end(codec->coder)
                             : put_codes(codec, packet->level, payload_of(packet));
    return seal(codec, bytes, packet);
}

dd_status dd_codec_push(const dd_codec *codec, const int16_t *samples, size_t count, size_t *taken)
{
    const dd_lossless *const lossless = codec->plan->lossless;
    if (samples == NULL || taken == NULL || codec->state->packet == NULL) {
        return DD_BAD_ARGUMENT;
    }
    if (lossless != NULL && codec->state->taken == 0 && count != 0) {
        begin_lossless(codec);
    }
    dd_status status = feed(codec, samples, count, taken);
    if (lossless != NULL && *taken != 0) { /* before the first sample there is no coder */
        lossless->push(codec->coder, samples, *taken);
    }
    if (status == DD_OK && !is_complete(codec)) {
        return DD_OK;
    }
    if (status == DD_OK) {
        status = finish(codec);
    }
    codec->state->taken = 0;
    return status == DD_OK ? DD_PACKET_READY : status;
}

/* Write a whole segment's payload of the level that was chosen, and return its size. */
static size_t put_whole(const dd_codec *codec, const int16_t *segment, uint8_t level, uint8_t *at)
{
    const size_t length = codec->plan->segment_length;
    if (level == DD_LEVEL_NONE) {
        codec->plan->lossless->begin(codec->coder, at, DD_RICE_BYTES_MAX(length));
        codec->plan->lossless->push(codec->coder, segment, length);
        return codec->plan->lossless->end(codec->coder);
    }
    if (codec->plan->map_by != NULL) {
        return put_codes(codec, level, at);
    }
    at = put_range(dd_range_of(segment, (uint32_t)length), at);
    return RANGE_BYTES + put_codes(codec, level, at);
}

dd_status dd_codec_encode(const dd_codec *codec, const int16_t *segment, size_t length,
                          dd_error bound, dd_packet *packet)
{
    size_t taken = 0;
    dd_status status = check(bound, packet, codec->plan->packet_bytes_max);
    if (status != DD_OK) {
        return status;
    }
    if (segment == NULL) {
        return DD_BAD_ARGUMENT;
    }
    if (length != codec->plan->segment_length) {
        return DD_BAD_LENGTH;
    }
    codec->state->packet = NULL;
    codec->state->taken = 0;
    status = feed(codec, segment, length, &taken);
    codec->state->taken = 0;
    if (status != DD_OK) {
        return status;
    }
    decide(codec, bound, packet);
    return seal(codec, put_whole(codec, segment, packet->level, payload_of(packet)), packet);
}
