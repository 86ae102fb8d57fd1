/* The pipe between the tests and the harness: requests in, replies out, little-endian as the host.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

/* What is left of a request. */
typedef struct request {
    const uint8_t *at;
    size_t left;
} request;

/* Every taker ends the process if the request is shorter than what it asks for. */
uint8_t take_u8(request *from);
uint16_t take_u16(request *from);
uint32_t take_u32(request *from);
int8_t take_s8(request *from);
int16_t take_s16(request *from);
int32_t take_s32(request *from);

/* A copy of the next `bytes` in memory of exactly that size, so that the sanitizer sees each byte
 * too far; free() it. */
void *take_block(request *from, size_t bytes);
void *exact_block(size_t bytes);

/* Add to the reply that send_reply() sends. */
void put(const void *bytes, size_t count);
void put_u8(uint8_t value);
void put_u16(uint16_t value);
void put_u32(uint32_t value);

#endif
