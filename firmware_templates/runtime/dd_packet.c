#include "dd_packet.h"

#include "dd_crc32.h"

#define MAGIC     0xDDu
#define LEVEL_MAX 15u

static uint8_t *put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value & 0xFFu);
    at[1] = (uint8_t)(value >> 8);
    return at + 2;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    return put_u16(put_u16(at, (uint16_t)(value & 0xFFFFu)), (uint16_t)(value >> 16));
}

static void put_header(const dd_packet_header *header, uint16_t payload_bytes, uint8_t *at)
{
    *at++ = MAGIC;
    *at++ = (uint8_t)((DD_PACKET_VERSION << 4) | header->level);
    for (uint32_t i = 0; i < DD_PACKET_MODEL_BYTES; i++) {
        *at++ = header->model_id[i];
    }
    at = put_u16(at, header->stream);
    at = put_u16(at, header->sequence);
    *at++ = header->quantization;
    (void)put_u16(at, payload_bytes);
}

dd_status dd_packet_seal(const dd_packet_header *header, uint16_t payload_bytes, uint8_t *bytes,
                         size_t capacity, size_t *length)
{
    if (header == NULL || header->model_id == NULL || bytes == NULL || length == NULL ||
        header->level > LEVEL_MAX) {
        return DD_BAD_ARGUMENT;
    }
    const size_t checked = DD_PACKET_HEADER_BYTES + (size_t)payload_bytes;
    if (capacity < checked + DD_PACKET_CRC_BYTES) {
        return DD_BUFFER_TOO_SMALL;
    }
    put_header(header, payload_bytes, bytes);
    (void)put_u32(bytes + checked, dd_crc32(0, bytes, checked));
    *length = checked + DD_PACKET_CRC_BYTES;
    return DD_OK;
}
