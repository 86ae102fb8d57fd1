#include "dd_cobs.h"

#define BLOCK_MAX 254u

/* Bytes before the first zero of `data`, at most BLOCK_MAX and `count`. */
static size_t run_length(const uint8_t *data, size_t count)
{
    size_t length = 0;
    while (length < count && length < BLOCK_MAX && data[length] != 0u) {
        length++;
    }
    return length;
}

static void emit_block(const uint8_t *data, size_t length, dd_cobs_sink sink, void *context)
{
    const uint8_t code = (uint8_t)(length + 1u);
    sink(context, &code, 1);
    if (length > 0u) {
        sink(context, data, length);
    }
}

void dd_cobs_encode(const uint8_t *data, size_t count, dd_cobs_sink sink, void *context)
{
    static const uint8_t end = 0;
    size_t at = 0;
    bool open = true; /* a block is still owed: for no data at all, and after a zero that ends it */
    while (at < count || open) {
        const size_t length = run_length(data + at, count - at);
        emit_block(data + at, length, sink, context);
        at += length;
        open = false;
        if (length < BLOCK_MAX && at < count) {
            at++; /* the zero that the block stands for */
            open = true;
        }
    }
    sink(context, &end, 1);
}

void dd_cobs_begin(dd_cobs_decoder *decoder, uint8_t *buffer, size_t capacity)
{
    decoder->buffer = buffer;
    decoder->capacity = capacity;
    decoder->length = 0;
    decoder->status = DD_OK;
    decoder->left = 0;
    decoder->zero_follows = false;
    decoder->ended = false;
}

static void append(dd_cobs_decoder *decoder, uint8_t byte)
{
    if (decoder->length < decoder->capacity) {
        decoder->buffer[decoder->length++] = byte;
    } else {
        decoder->status = DD_BUFFER_TOO_SMALL;
    }
}

static void begin_block(dd_cobs_decoder *decoder, uint8_t code)
{
    if (decoder->zero_follows) {
        append(decoder, 0);
    }
    decoder->left = (uint8_t)(code - 1u);
    decoder->zero_follows = code <= BLOCK_MAX;
}

bool dd_cobs_push(dd_cobs_decoder *decoder, uint8_t byte)
{
    if (decoder->ended) {
        dd_cobs_begin(decoder, decoder->buffer, decoder->capacity);
    }
    if (byte == 0u) {
        if (decoder->left > 0u && decoder->status == DD_OK) {
            decoder->status = DD_BAD_FRAME;
        }
        decoder->ended = true;
        return decoder->length > 0u || decoder->status != DD_OK;
    }
    if (decoder->left > 0u) {
        decoder->left--;
        append(decoder, byte);
    } else {
        begin_block(decoder, byte);
    }
    return false;
}
