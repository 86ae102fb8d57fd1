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

/* Map `count` (1 or more) samples, as constants `by` say. Returns how many of them were clipped:
 * lie beyond what the input can say. */
typedef uint32_t dd_map(const void *by, const int16_t *samples, int8_t *out, uint32_t count);

/* A dd_map with the same three integers for every segment: `by` is a dd_affine_map. */
uint32_t dd_map_affine(const void *by, const int16_t *samples, int8_t *out, uint32_t count);

/* The least and the greatest sample of a segment. */
typedef struct dd_range {
    int16_t low;
    int16_t high;
} dd_range;

/* The range of `count` (1 or more) samples. */
dd_range dd_range_of(const int16_t *samples, uint32_t count);

/* A dd_map of a whole segment by its own range: low -> -128, high -> 127. `by` is null. */
uint32_t dd_map_minmax(const void *by, const int16_t *samples, int8_t *out, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
