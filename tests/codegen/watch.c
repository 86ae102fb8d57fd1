/* Encode every segment on standard input; write each tensor and packet to standard output as a
 * number (255: a packet), a 32-bit count and the bytes. Arguments: the bound in Q8.24; any second
 * one asks for the unfused run. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "model_codec.h"
#include "model_debug.h"

static model_encoder encoder;
static int16_t segment[MODEL_SEGMENT_LENGTH];
static uint8_t packet_bytes[MODEL_PACKET_BYTES_MAX];

static void show(uint8_t number, const void *bytes, uint32_t count)
{
    fwrite(&number, 1, 1, stdout);
    fwrite(&count, sizeof count, 1, stdout);
    fwrite(bytes, 1, count, stdout);
}

static bool on_tensor(void *context, uint16_t tensor, const int8_t *values, uint32_t count)
{
    (void)context;
    show((uint8_t)tensor, values, count);
    return true;
}

int main(int argc, char **argv)
{
    const dd_trace trace = {.on_tensor = on_tensor, .context = NULL, .unfused = argc > 2};
    if (argc < 2 || model_encoder_init(&encoder, 0x1234) != DD_OK) {
        return 1;
    }
    const dd_error bound = (dd_error)strtol(argv[1], NULL, 10);
    encoder.state.trace = &trace;
    while (fread(segment, sizeof segment[0], MODEL_SEGMENT_LENGTH, stdin) == MODEL_SEGMENT_LENGTH) {
        dd_packet packet = {.bytes = packet_bytes, .capacity = sizeof packet_bytes};
        if (model_encode(&encoder, segment, MODEL_SEGMENT_LENGTH, bound, &packet) != DD_OK) {
            return 2;
        }
        show(255, packet_bytes, (uint32_t)packet.length);
    }
    return 0;
}
