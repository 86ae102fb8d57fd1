/* A stand-in for a generated model: the same interface, arithmetic that is done in the head. */
#ifndef DD_MODEL_H
#define DD_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "dd_codec.h"

#define DD_KIT_VERSION "0.1.0"
#define DD_MODEL_ID    "00112233445566ff"
#define DD_MODEL_ID_BYTES                              \
    {                                                  \
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0xFF \
    }
#define DD_SEGMENT_LENGTH     2000
#define DD_SAMPLE_RATE_HZ     360
#define DD_LEVELS             2
#define DD_DEFAULT_BOUND      (9 * DD_ERROR_ONE)
#define DD_ARENA_BYTES        2000
#define DD_STREAMING          0
#define DD_LOSSLESS           1
#define DD_PACKET_BYTES_CODED 79
#define DD_PACKET_BYTES_MAX   4017

typedef struct dd_encoder {
    dd_codec_state state;
    dd_error predicted[DD_LEVELS];
    _Alignas(4) int8_t arena[DD_ARENA_BYTES];
} dd_encoder;

DD_MUST_CHECK dd_status dd_encoder_init(dd_encoder *encoder, uint16_t stream);
DD_MUST_CHECK dd_status dd_encode(dd_encoder *encoder, const int16_t *segment, size_t length,
                                  dd_error bound, dd_packet *packet);

#endif
