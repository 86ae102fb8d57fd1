#include "dd_crc32.h"

/* The remainders of the 16 nibbles: 64 bytes of flash instead of the usual kilobyte. */
static const uint32_t remainder_of[16] = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
    0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
    0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

uint32_t dd_crc32(uint32_t crc, const void *data, size_t count)
{
    const uint8_t *byte = (const uint8_t *)data;
    uint32_t rest = ~crc;
    for (size_t i = 0; i < count; i++) {
        rest ^= byte[i];
        rest = (rest >> 4) ^ remainder_of[rest & 15u];
        rest = (rest >> 4) ^ remainder_of[rest & 15u];
    }
    return ~rest;
}
