/* The clamp of a fused activation over codes that are made. */
#ifndef DD_CLAMP_CODES_H
#define DD_CLAMP_CODES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Clamp `count` codes to [low, high], in place. */
void dd_clamp_codes(int8_t *codes, uint32_t count, int8_t low, int8_t high);

#ifdef __cplusplus
}
#endif

#endif
