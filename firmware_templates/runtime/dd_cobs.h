/* Consistent Overhead Byte Stuffing: frames without zeros, each ended by one (docs/protocol.md). */
#ifndef DD_COBS_H
#define DD_COBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dd_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most bytes that a frame of `count` bytes takes on the wire, the zero at its end included. */
#define DD_COBS_WIRE_BYTES(count) ((count) + (count) / 254u + 2u)

/* Takes the wire's bytes in order, in pieces of 1 to 254. */
typedef void (*dd_cobs_sink)(void *context, const uint8_t *bytes, size_t count);

/* Send `data` (not null, even if `count` is 0) as one frame with the zero at its end. */
void dd_cobs_encode(const uint8_t *data, size_t count, dd_cobs_sink sink, void *context);

/* A decoder of a byte stream. The caller owns the buffer, and the fields below `length` are the
 * decoder's own. */
typedef struct dd_cobs_decoder {
    uint8_t *buffer;
    size_t capacity;
    size_t length;     /* bytes of the frame so far */
    dd_status status;  /* of the frame so far */
    uint8_t left;      /* bytes still to come in this block */
    bool zero_follows; /* the block stands for a zero after it, unless it ends the frame */
    bool ended;        /* the next byte begins a frame */
} dd_cobs_decoder;

/* Begin with an empty frame in `buffer`. */
void dd_cobs_begin(dd_cobs_decoder *decoder, uint8_t *buffer, size_t capacity);

/* Take one byte from the wire; true when it ended a frame. The frame's `length` bytes then lie in
 * the buffer until the next byte is pushed, and `status` is DD_OK, or tells why they are to be
 * dropped: DD_BAD_FRAME (the zero came inside a block) or DD_BUFFER_TOO_SMALL. Empty frames are
 * skipped. */
DD_MUST_CHECK bool dd_cobs_push(dd_cobs_decoder *decoder, uint8_t byte);

#ifdef __cplusplus
}
#endif

#endif
