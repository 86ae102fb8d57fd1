#include "dd_prelu_s8.h"

#include "dd_requant.h"

static inline int32_t scaled(const dd_prelu *of, int32_t value, int32_t slope)
{
    if (value >= 0) {
        return dd_requantize(value, of->multiplier, of->shift);
    }
    return dd_requantize(value * slope, of->slope_multiplier, of->slope_shift);
}

static void prelu_row(const void *params, const dd_row *row, int8_t *out)
{
    const dd_prelu of = *(const dd_prelu *)params; /* which the compiler then knows to stay */
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    for (uint32_t i = 0; i < row->count; i++) {
        const int32_t value = scaled(&of, *first - of.in_zero_point, *second - of.slope_zero_point);
        out[i] = (int8_t)dd_clamp(value + of.out_zero_point, INT8_MIN, INT8_MAX);
        first += row->first_hop;
        second += row->second_hop;
    }
}

void dd_prelu_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                 uint32_t steps, int8_t *out)
{
    const dd_prelu *const of = params;
    dd_pair_rows(&of->pair, of->constant, of, prelu_row, table, in, first, steps, out);
}
