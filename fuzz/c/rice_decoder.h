/* A decoder of lossless samples, written from docs/packet.md alone: it shares nothing with the
 * encoder that it checks. */
#ifndef FUZZ_RICE_DECODER_H
#define FUZZ_RICE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decode `bytes` into exactly `count` samples; false if no encoder can have made them. */
bool rice_decode(const uint8_t *bytes, size_t length, int16_t *samples, size_t count);

#endif
