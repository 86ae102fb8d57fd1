/* Little-endian integers in a byte buffer, at any alignment. */
#ifndef DD_BYTES_H
#define DD_BYTES_H

#include <stdint.h>

static inline uint16_t dd_get_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | ((uint32_t)bytes[1] << 8));
}

static inline uint32_t dd_get_u32(const uint8_t *bytes)
{
    return dd_get_u16(bytes) | ((uint32_t)dd_get_u16(&bytes[2]) << 16);
}

static inline void dd_put_u16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline void dd_put_u32(uint8_t *bytes, uint32_t value)
{
    dd_put_u16(bytes, (uint16_t)value);
    dd_put_u16(&bytes[2], (uint16_t)(value >> 16));
}

static inline void dd_put_u64(uint8_t *bytes, uint64_t value)
{
    dd_put_u32(bytes, (uint32_t)value);
    dd_put_u32(&bytes[4], (uint32_t)(value >> 32));
}

#endif
