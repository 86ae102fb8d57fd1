#include <stdlib.h>

#include "dd_decision.h"
#include "dd_input_map.h"
#include "dd_requant.h"
#include "operations.h"

void run_requantize(request *from)
{
    while (from->left != 0) {
        const int32_t value = take_s32(from);
        const int32_t multiplier = take_s32(from);
        const int32_t shift = take_s32(from);
        put_u32((uint32_t)dd_requantize(value, multiplier, shift));
    }
}

void run_requantize_index(request *from)
{
    while (from->left != 0) {
        const int32_t value = take_s32(from);
        const int32_t multiplier = take_s32(from);
        const int32_t exponent = take_s32(from);
        const int32_t offset = dd_index_offset(take_s32(from));
        put_u32((uint32_t)dd_requantize_index(value, multiplier, exponent, offset));
    }
}

void run_map_affine(request *from)
{
    dd_affine_map map;
    map.offset = take_s16(from);
    map.multiplier = take_s16(from);
    map.shift = take_u8(from);
    const size_t count = from->left / sizeof(int16_t);
    int16_t *samples = take_block(from, count * sizeof(int16_t));
    int8_t *out = exact_block(count);
    put_u32(dd_map_affine(&map, samples, out, (uint32_t)count));
    put(out, count);
    free(out);
    free(samples);
}

void run_map_minmax(request *from)
{
    const size_t count = from->left / sizeof(int16_t);
    int16_t *samples = take_block(from, count * sizeof(int16_t));
    int8_t *out = exact_block(count);
    const dd_range range = dd_range_of(samples, (uint32_t)count);
    (void)dd_map_minmax(NULL, samples, out, (uint32_t)count);
    put(&range.low, sizeof range.low);
    put(&range.high, sizeof range.high);
    put(out, count);
    free(out);
    free(samples);
}

/* Request: levels, knots, the bound, the knots' bounds, then of each level its numbers, its head's
 * code and its margins. Reply: the predicted errors, then the level. */
void run_decision(request *from)
{
    const uint8_t count = take_u8(from);
    const uint8_t knot_count = take_u8(from);
    const dd_error bound = take_s32(from);
    const dd_knots knots = {take_block(from, knot_count * sizeof(dd_error)), knot_count};
    dd_level *levels = exact_block(count * sizeof(dd_level));
    dd_error *predicted = exact_block(count * sizeof(dd_error));
    for (uint8_t i = 0; i < count; i++) {
        levels[i].error_zero_point = take_s8(from);
        levels[i].error_scale = take_s32(from);
        predicted[i] = dd_predicted_error(&levels[i], take_s8(from));
        levels[i].margins = take_block(from, knot_count * sizeof(dd_error));
        put_u32((uint32_t)predicted[i]);
    }
    put_u8(dd_choose_level(&knots, levels, predicted, count, bound));
    for (uint8_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)levels[i].margins);
    }
    free((void *)(uintptr_t)knots.bounds);
    free(predicted);
    free(levels);
}

void run_operation(request *from)
{
    switch (take_u8(from)) {
#define CASE(number, name) \
    case number:           \
        name(from);        \
        break;
        OPERATION_LIST(CASE)
#undef CASE
    default:
        abort();
    }
}
