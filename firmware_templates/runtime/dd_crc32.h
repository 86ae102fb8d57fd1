/* CRC-32 of IEEE 802.3, as in zlib: polynomial 0xEDB88320 reflected, begun and ended inverted. */
#ifndef DD_CRC32_H
#define DD_CRC32_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Continue `crc` (0 to begin) over `count` bytes, as zlib.crc32 does. */
uint32_t dd_crc32(uint32_t crc, const void *data, size_t count);

#ifdef __cplusplus
}
#endif

#endif
