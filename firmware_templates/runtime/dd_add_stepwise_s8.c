#include "dd_add_stepwise_s8.h"

#include "dd_requant.h"

#define LEFT_SHIFT 20 /* bits that both operands gain before they are scaled */

static int32_t scaled(int8_t value, int8_t zero_point, int32_t multiplier, int shift)
{
    return dd_requantize(dd_shift_left(value - zero_point, LEFT_SHIFT), multiplier, shift);
}

static void add_row(const void *params, const dd_row *row, int8_t *out)
{
    const dd_add_stepwise *const add = params;
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    for (uint32_t i = 0; i < row->count; i++) {
        const int32_t sum = dd_add(
            scaled(*first, add->first_zero_point, add->first_multiplier, add->first_shift),
            scaled(*second, add->second_zero_point, add->second_multiplier, add->second_shift));
        const int32_t code =
            dd_requantize(sum, add->out_multiplier, add->out_shift) + add->out_zero_point;
        out[i] = (int8_t)dd_clamp(code, add->out_min, add->out_max);
        first += row->first_hop;
        second += row->second_hop;
    }
}

void dd_add_stepwise_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                        uint32_t steps, int8_t *out)
{
    const dd_add_stepwise *const add = params;
    dd_pair_rows(&add->pair, add->constant, add, add_row, table, in, first, steps, out);
}
