#include "dd_maximum_s8.h"

#include "dd_dot.h" /* which kernels */
#include "dd_simd.h"

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)
#define MAXIMUM_VECTORS 1
#include <arm_mve.h>
#else
#define MAXIMUM_VECTORS 0
#endif

/* Any hops. `flip`: 0, or -1 to take the smaller. */
static void maximum_any(const dd_row *row, int32_t flip, int8_t *out)
{
    const uint32_t first_hop = row->first_hop;
    const uint32_t second_hop = row->second_hop;
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    for (uint32_t left = row->count; left != 0; left--) {
        const int32_t a = *first ^ flip;
        const int32_t b = *second ^ flip;
        *out++ = (int8_t)((a > b ? a : b) ^ flip);
        first += first_hop;
        second += second_hop;
    }
}

#if MAXIMUM_VECTORS
/* Hops of 1: all values. Returns how many that were. */
static uint32_t maximum_each(const dd_row *row, int32_t flip, int8_t *out)
{
    for (uint32_t at = 0; at < row->count; at += 16) {
        const mve_pred16_t active = vctp8q(row->count - at);
        const int8x16_t first = vldrbq_z_s8(row->first + at, active);
        const int8x16_t second = vldrbq_z_s8(row->second + at, active);
        const int8x16_t result = flip == 0 ? vmaxq_s8(first, second) : vminq_s8(first, second);
        vstrbq_p_s8(out + at, result, active);
    }
    return row->count;
}
#elif DD_KERNELS == DD_KERNELS_DSP
static uint32_t maximum_each(const dd_row *row, int32_t flip, int8_t *out)
{
    uint32_t at = 0;
    for (; flip == 0 && at + 4 <= row->count; at += 4) {
        const uint32_t first = dd_four(row->first + at);
        dd_put_four(out + at, dd_max_bytes(first, dd_four(row->second + at)));
    }
    for (; flip != 0 && at + 4 <= row->count; at += 4) {
        const uint32_t first = dd_four(row->first + at);
        dd_put_four(out + at, dd_min_bytes(first, dd_four(row->second + at)));
    }
    return at;
}
#else
static uint32_t maximum_each(const dd_row *row, int32_t flip, int8_t *out)
{
    (void)row;
    (void)flip;
    (void)out;
    return 0;
}
#endif

static void maximum_row(const void *params, const dd_row *row, int8_t *out)
{
    const dd_maximum *const of = params;
    dd_row rest = *row;
    if (row->first_hop != 0 && row->second_hop != 0) {
        const uint32_t done = maximum_each(row, of->flip, out);
        rest.first += done;
        rest.second += done;
        rest.count -= done;
        out += done;
    }
    maximum_any(&rest, of->flip, out);
}

void dd_maximum_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                   uint32_t steps, int8_t *out)
{
    const dd_maximum *const of = params;
    dd_pair_rows(&of->pair, of->constant, of, maximum_row, table, in, first, steps, out);
}
