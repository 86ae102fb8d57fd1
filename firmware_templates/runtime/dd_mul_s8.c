#include "dd_mul_s8.h"

#include "dd_requant.h"

static inline int32_t product_of(const dd_multiplication *of, int8_t first, int8_t second)
{
    return (first - of->first_zero_point) * (second - of->second_zero_point);
}

/* Any shift. */
static void multiply_any(const dd_multiplication *params, const dd_row *row, int8_t *out)
{
    const dd_multiplication of = *params; /* which the compiler then knows to stay as it is */
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    for (uint32_t i = 0; i < row->count; i++) {
        const int32_t product = product_of(&of, *first, *second);
        const int32_t code = dd_requantize(product, of.multiplier, of.shift) + of.out_zero_point;
        out[i] = (int8_t)dd_clamp(code, of.out_min, of.out_max);
        first += row->first_hop;
        second += row->second_hop;
    }
}

/* A shift of 2 or more to the right, which takes half as long. */
static void multiply_small(const dd_multiplication *params, const dd_row *row, int8_t *out)
{
    const dd_multiplication of = *params;
    const int32_t offset = dd_index_offset(of.out_zero_point);
    const int32_t exponent = -of.shift;
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    const uint32_t first_hop = row->first_hop;
    const uint32_t second_hop = row->second_hop;
    for (uint32_t left = row->count; left != 0; left--) {
        const int32_t product = product_of(&of, *first, *second);
        const int32_t index = dd_requantize_index(product, of.multiplier, exponent, offset);
        *out++ = (int8_t)dd_clamp(index - 128, of.out_min, of.out_max);
        first += first_hop;
        second += second_hop;
    }
}

static void multiply_row(const void *params, const dd_row *row, int8_t *out)
{
    const dd_multiplication *const of = params;
    if (of->shift <= -2) {
        multiply_small(of, row, out);
    } else {
        multiply_any(of, row, out);
    }
}

void dd_mul_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
               uint32_t steps, int8_t *out)
{
    const dd_multiplication *const of = params;
    dd_pair_rows(&of->pair, of->constant, of, multiply_row, table, in, first, steps, out);
}
