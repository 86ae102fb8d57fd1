/* The generated encoder over many segments, on the host: what a board would send, without a link.
 *
 *   dd_batch BOUND [TENSOR ...]  < segments  > rows
 *
 * BOUND is Q8.24; segments are int16 of this machine's byte order, one behind the other, and belong
 * to one stream. Each gives a row: the int8 values of each TENSOR (numbers of model_net.json) in
 * the order in which they are made, level and packet length as uint32, the predicted errors as
 * int32, and the packet in MODEL_PACKET_BYTES_MAX bytes, zeros behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_codec.h"
#include "model_debug.h"

static model_encoder encoder;
static bool selected[MODEL_TENSORS];

static bool write_tensor(void *context, uint16_t tensor, const int8_t *values, uint32_t count)
{
    (void)context;
    return !selected[tensor] || fwrite(values, 1, count, stdout) == count;
}

static bool parse(const char *text, long greatest, long *value)
{
    char *end = NULL;
    *value = strtol(text, &end, 10);
    return end != text && *end == '\0' && *value >= 0 && *value <= greatest;
}

static bool read_arguments(int count, char **words, dd_error *bound)
{
    long value = 0;
    if (count < 2 || !parse(words[1], INT32_MAX, &value)) {
        return false;
    }
    *bound = (dd_error)value;
    for (int i = 2; i < count; i++) {
        if (!parse(words[i], MODEL_TENSORS - 1, &value)) {
            return false;
        }
        selected[value] = true;
    }
    return true;
}

static bool write_packet(const dd_packet *packet)
{
    const uint32_t head[] = {packet->level, (uint32_t)packet->length};
    memset(packet->bytes + packet->length, 0, packet->capacity - packet->length);
    return fwrite(head, sizeof head, 1, stdout) == 1 &&
           fwrite(packet->predicted, sizeof packet->predicted[0], MODEL_LEVELS, stdout) ==
               MODEL_LEVELS &&
           fwrite(packet->bytes, packet->capacity, 1, stdout) == 1;
}

/* Encode all that comes on standard input; false with the reason on standard error. */
static bool encode_all(dd_error bound)
{
    static uint8_t bytes[MODEL_PACKET_BYTES_MAX];
    static int16_t segment[MODEL_SEGMENT_LENGTH];
    dd_packet packet = {.bytes = bytes, .capacity = sizeof bytes};
    size_t count = fread(segment, 1, sizeof segment, stdin);
    for (; count == sizeof segment; count = fread(segment, 1, sizeof segment, stdin)) {
        const dd_status status =
            model_encode(&encoder, segment, MODEL_SEGMENT_LENGTH, bound, &packet);
        if (status != DD_OK) {
            (void)fprintf(stderr, "encoding returned status %d\n", (int)status);
            return false;
        }
        if (!write_packet(&packet)) {
            perror("standard output");
            return false;
        }
    }
    if (count != 0) {
        (void)fprintf(stderr, "the input ends %zu bytes into a segment\n", count);
    }
    return count == 0;
}

int main(int count, char **words)
{
    static const dd_trace trace = {.on_tensor = write_tensor};
    dd_error bound = 0;
    if (!read_arguments(count, words, &bound)) {
        (void)fprintf(stderr, "usage: dd_batch BOUND [TENSOR ...]\n");
        return EXIT_FAILURE;
    }
    if (model_encoder_init(&encoder, 0) != DD_OK) {
        return EXIT_FAILURE;
    }
    encoder.state.trace = &trace;
    return encode_all(bound) && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
