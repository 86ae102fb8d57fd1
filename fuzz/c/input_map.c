/* dd_input_map: every legal map gives what 64-bit arithmetic gives, for any samples. */
#include "dd_input_map.h"
#include "input.h"

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    return value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);
}

static int8_t clamped(int64_t value)
{
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

static void check_affine(fuzz_input *input, const int16_t *samples, int8_t *out, uint32_t count)
{
    const dd_affine_map map = {
        .offset = (int16_t)fuzz_u16(input),
        .multiplier = (int16_t)(1 + fuzz_u16(input) % 16383),
        .shift = (uint8_t)(1 + fuzz_u8(input) % 23),
    };
    dd_map_affine(&map, samples, out, count);
    const int64_t half = (int64_t)1 << (map.shift - 1);
    for (uint32_t i = 0; i < count; i++) {
        const int64_t above = (int64_t)samples[i] - map.offset;
        const int64_t code = floor_divide(above * map.multiplier + half, 2 * half);
        FUZZ_REQUIRE(out[i] == clamped(code));
    }
}

static void check_minmax(const int16_t *samples, int8_t *out, uint32_t count)
{
    const dd_range range = dd_range_of(samples, count);
    dd_map_minmax(NULL, samples, out, count);
    const int64_t span = (int64_t)range.high - range.low;
    for (uint32_t i = 0; i < count; i++) {
        FUZZ_REQUIRE(samples[i] >= range.low && samples[i] <= range.high);
        const int64_t above = (int64_t)samples[i] - range.low;
        const int64_t code = span == 0 ? 0 : (255 * above + span / 2) / span;
        FUZZ_REQUIRE(out[i] == (int8_t)(code - 128));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 7) {
        return 0;
    }
    fuzz_input input = {data, 5};
    fuzz_input rest = {data + 5, size - 5};
    const uint32_t count = (uint32_t)(rest.left / sizeof(int16_t));
    int16_t *samples = fuzz_block(count * sizeof *samples);
    int8_t *out = fuzz_block(count);
    (void)fuzz_take(&rest, samples, count * sizeof *samples);
    check_affine(&input, samples, out, count);
    check_minmax(samples, out, count);
    free(out);
    free(samples);
    return 0;
}
