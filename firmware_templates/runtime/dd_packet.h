/* What the encoder sends: docs/packet.md describes every byte. */
#ifndef DD_PACKET_H
#define DD_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "dd_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DD_PACKET_VERSION        3
#define DD_PACKET_MODEL_BYTES    4
#define DD_PACKET_HEADER_BYTES   13
#define DD_PACKET_CRC_BYTES      4
#define DD_PACKET_OVERHEAD_BYTES (DD_PACKET_HEADER_BYTES + DD_PACKET_CRC_BYTES)
#define DD_LEVEL_NONE            0

typedef struct dd_packet_header {
    const uint8_t *model_id; /* the first DD_PACKET_MODEL_BYTES are sent */
    uint16_t stream;
    uint16_t sequence;
    uint8_t level;        /* 0: the samples, losslessly; else the compressed level */
    uint8_t quantization; /* index of the quantisation that the manifest describes */
} dd_packet_header;

/* Frame the payload that already lies at `bytes + DD_PACKET_HEADER_BYTES`: write the header before
 * it and the CRC after it. `*length` becomes the packet's size.
 * DD_BUFFER_TOO_SMALL if `capacity` cannot hold it. */
DD_MUST_CHECK dd_status dd_packet_seal(const dd_packet_header *header, uint16_t payload_bytes,
                                       uint8_t *bytes, size_t capacity, size_t *length);

#ifdef __cplusplus
}
#endif

#endif
