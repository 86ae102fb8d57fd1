/* From float or int16 to a network's int8 codes, and back: value = scale x (code - zero point). The
 * scales are the macros of the generated header. Nothing of the runtime itself uses float. */
#ifndef DD_QUANTIZE_H
#define DD_QUANTIZE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline int32_t dd_clamp_i32(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* The code of a value, rounded half away from zero as TFLite's QUANTIZE does; what lies beyond the
 * codes is clamped, and what is no number has the zero point. */
static inline int8_t dd_quantize_f32(float value, float scale, int32_t zero_point)
{
    const float steps = value / scale;
    if (!(steps > -512.0f)) {
        return (int8_t)(steps != steps ? zero_point : -128);
    }
    if (steps >= 512.0f) {
        return 127;
    }
    int32_t whole = (int32_t)steps; /* towards zero */
    const float rest = steps - (float)whole;
    whole += rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0;
    return (int8_t)dd_clamp_i32(whole + zero_point, -128, 127);
}

static inline float dd_dequantize_f32(int8_t code, float scale, int32_t zero_point)
{
    return scale * (float)(code - zero_point);
}

/* How many steps of `to` one of `from` is, both scales, as a constant in Q24: below 128. An ADC
 * that gives volts x 1000, before a network of NAME_INPUT_SCALE volts: DD_RATIO(0.001f,
 * NAME_INPUT_SCALE). */
#define DD_RATIO(from, to) ((int32_t)((from) / (to)*16777216.0f + 0.5f))

/* Integers alone: round half up, and clamp. */
static inline int8_t dd_quantize_i16(int16_t value, int32_t ratio, int32_t zero_point)
{
    const int64_t steps = ((int64_t)value * ratio + (1 << 23)) >> 24;
    const int64_t code = steps + zero_point;
    return (int8_t)(code < -128 ? -128 : code > 127 ? 127 : code);
}

static inline int16_t dd_dequantize_i16(int8_t code, int32_t ratio, int32_t zero_point)
{
    const int64_t value = ((int64_t)(code - zero_point) * ratio + (1 << 23)) >> 24;
    return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

#ifdef __cplusplus
}
#endif

#endif
