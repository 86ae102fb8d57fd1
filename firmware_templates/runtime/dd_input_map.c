#include "dd_input_map.h"

#include "dd_requant.h"

uint32_t dd_map_affine(const void *by, const int16_t *samples, int8_t *out, uint32_t count)
{
    const dd_affine_map map = *(const dd_affine_map *)by; /* what is written cannot change it */
    const int32_t half = (int32_t)1 << (map.shift - 1);
    uint32_t clipped = 0;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t scaled = ((samples[i] - map.offset) * map.multiplier + half) >> map.shift;
        out[i] = (int8_t)scaled;
        if (out[i] != scaled) { /* seldom: cheaper than to clamp every one and compare */
            out[i] = (int8_t)dd_clamp(scaled, INT8_MIN, INT8_MAX);
            clipped++;
        }
    }
    return clipped;
}

dd_range dd_range_of(const int16_t *samples, uint32_t count)
{
    dd_range range = {samples[0], samples[0]};
    for (uint32_t i = 1; i < count; i++) {
        if (samples[i] < range.low) {
            range.low = samples[i];
        }
        if (samples[i] > range.high) {
            range.high = samples[i];
        }
    }
    return range;
}

uint32_t dd_map_minmax(const void *by, const int16_t *samples, int8_t *out, uint32_t count)
{
    const dd_range range = dd_range_of(samples, count);
    (void)by;
    const uint32_t span = (uint32_t)(range.high - range.low);
    /* A flat window has no span; all of it maps to the lowest code. */
    const uint32_t divisor = span == 0u ? 1u : span;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t above = (uint32_t)(samples[i] - range.low);
        out[i] = (int8_t)((int32_t)((255u * above + span / 2u) / divisor) - 128);
    }
    return 0;
}
