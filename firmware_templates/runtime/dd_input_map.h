/* The map from ADC samples to the encoder's int8 input. */
#ifndef DD_INPUT_MAP_H
#define DD_INPUT_MAP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* q = clamp(((x - offset) * multiplier + 2^(shift - 1)) >> shift); that fits int32. */
typedef struct dd_affine_map {
    int16_t offset;
    int16_t multiplier; /* 1 to 2^14 - 1 */
    uint8_t shift;      /* 1 to 30 */
} dd_affine_map;

/* Map `count` samples with the same three integers for every segment. Returns how many of them were
 * clipped: lie beyond what the input can say. */
uint32_t dd_map_affine(const dd_affine_map *map, const int16_t *samples, int8_t *out,
                       uint32_t count);

/* The least and the greatest sample of a segment. */
typedef struct dd_range {
    int16_t low;
    int16_t high;
} dd_range;

/* The range of `count` (1 or more) samples. */
dd_range dd_range_of(const int16_t *samples, uint32_t count);

/* Scale `count` (1 or more) samples by their own range: low -> -128, high -> 127. Returns it. */
dd_range dd_map_minmax(const int16_t *samples, int8_t *out, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
