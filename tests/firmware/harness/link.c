#include <stdlib.h>
#include <string.h>

#include "dd_cobs.h"
#include "dd_crc32.h"
#include "dd_packet.h"
#include "operations.h"

/* Reply: the status and, if it is DD_OK, the packet. A capacity of 0 passes no buffer at all. */
void run_packet(request *from)
{
    uint8_t *model_id = take_block(from, DD_PACKET_MODEL_BYTES);
    dd_packet_header header = {.model_id = model_id};
    header.stream = take_u16(from);
    header.sequence = take_u16(from);
    header.level = take_u8(from);
    header.quantization = take_u8(from);
    const uint32_t capacity = take_u32(from);
    const uint16_t payload_bytes = (uint16_t)from->left;
    uint8_t *bytes = capacity == 0 ? NULL : exact_block(capacity);
    if (capacity >= DD_PACKET_HEADER_BYTES + (size_t)payload_bytes) {
        memcpy(bytes + DD_PACKET_HEADER_BYTES, from->at, payload_bytes);
    }
    size_t length = 0;
    const dd_status status = dd_packet_seal(&header, payload_bytes, bytes, capacity, &length);
    put_u8((uint8_t)status);
    put(bytes == NULL ? model_id : bytes, length);
    free(bytes);
    free(model_id);
}

void run_crc32(request *from)
{
    uint32_t crc = take_u32(from);
    const size_t count = from->left;
    uint8_t *data = take_block(from, count);
    put_u32(dd_crc32(crc, data, count));
    free(data);
}

static void to_reply(void *context, const uint8_t *bytes, size_t count)
{
    size_t *longest = context;
    if (count == 0 || count > 254) {
        abort();
    }
    *longest = count > *longest ? count : *longest;
    put(bytes, count);
}

void run_cobs_encode(request *from)
{
    const size_t count = from->left;
    uint8_t *data = take_block(from, count);
    size_t longest = 0;
    dd_cobs_encode(data, count, to_reply, &longest);
    free(data);
}

/* Reply: for each frame its status, its length and its bytes. */
void run_cobs_decode(request *from)
{
    const size_t capacity = take_u32(from);
    uint8_t *buffer = exact_block(capacity);
    dd_cobs_decoder decoder;
    dd_cobs_begin(&decoder, buffer, capacity);
    while (from->left != 0) {
        if (dd_cobs_push(&decoder, take_u8(from))) {
            put_u8((uint8_t)decoder.status);
            put_u32((uint32_t)decoder.length);
            put(buffer, decoder.length);
        }
    }
    free(buffer);
}
