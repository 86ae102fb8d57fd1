#include "dd_maximum_s8.h"

static void maximum_row(const void *params, const dd_row *row, int8_t *out)
{
    const int32_t flip = ((const dd_maximum *)params)->flip;
    const uint32_t first_hop = row->first_hop;
    const uint32_t second_hop = row->second_hop;
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    for (uint32_t left = row->count; left != 0; left--) {
        const int32_t one = *first ^ flip;
        const int32_t other = *second ^ flip;
        *out++ = (int8_t)((one > other ? one : other) ^ flip);
        first += first_hop;
        second += second_hop;
    }
}

void dd_maximum_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                   uint32_t steps, int8_t *out)
{
    const dd_maximum *const of = params;
    dd_pair_rows(&of->pair, of->constant, of, maximum_row, table, in, first, steps, out);
}
