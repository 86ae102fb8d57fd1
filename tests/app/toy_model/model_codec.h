/* A stand-in for a generated model: the same interface, arithmetic that is done in the head. */
#ifndef MODEL_CODEC_H
#define MODEL_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "dd_codec.h"

#define MODEL_KIT_VERSION "0.1.0"
#define MODEL_ID          "00112233445566ff"
#define MODEL_ID_BYTES                                 \
    {                                                  \
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0xFF \
    }
#define MODEL_SEGMENT_LENGTH     2000
#define MODEL_SAMPLE_RATE_HZ     360
#define MODEL_LEVELS             2
#define MODEL_DEFAULT_BOUND      (9 * DD_ERROR_ONE)
#define MODEL_ARENA_BYTES        2000
#define MODEL_STREAMING          0
#define MODEL_LOSSLESS           1
#define MODEL_PACKET_BYTES_CODED 79
#define MODEL_PACKET_BYTES_MAX   4017

typedef struct model_encoder {
    dd_codec_state state;
    dd_error predicted[MODEL_LEVELS];
    _Alignas(4) int8_t arena[MODEL_ARENA_BYTES];
} model_encoder;

DD_MUST_CHECK dd_status model_encoder_init(model_encoder *encoder, uint16_t stream);
DD_MUST_CHECK dd_status model_encode(model_encoder *encoder, const int16_t *segment, size_t length,
                                     dd_error bound, dd_packet *packet);

#endif
