#include "dd_add_s8.h"

#include <stdbool.h>

#include "dd_requant.h"

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)
#define ADD_VECTORS 1
#include <arm_mve.h>
#else
#define ADD_VECTORS 0
#endif

/* One value's sum; unsigned, because a part of it may leave int32 where the whole does not. */
static inline int32_t sum_of(const dd_addition *add, int8_t first, int8_t second)
{
    const uint32_t of_first = (uint32_t)first * (uint32_t)add->first_factor;
    const uint32_t of_second = (uint32_t)second * (uint32_t)add->second_factor;
    return (int32_t)(of_first + of_second + (uint32_t)add->offset);
}

/* Any shift, clamp and hops. */
static void add_any(const dd_addition *params, const dd_row *row, int8_t *out)
{
    const dd_addition add = *params; /* which the compiler then knows to stay as it is */
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    const uint32_t first_hop = row->first_hop;
    const uint32_t second_hop = row->second_hop;
    for (uint32_t left = row->count; left != 0; left--) {
        const int32_t code = sum_of(&add, *first, *second) >> add.shift;
        *out++ = (int8_t)dd_clamp(code, add.out_min, add.out_max);
        first += first_hop;
        second += second_hop;
    }
}

/* The code of one value where the shift is DD_ADD_SHIFT and nothing clamps. */
static inline int8_t code_of(const dd_addition *add, int8_t first, int8_t second)
{
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
    int32_t code;
    static_assert(DD_ADD_SHIFT == 22, "the assembly says it");
    __asm("mla %0, %1, %2, %3\n\t"
          "mla %0, %4, %5, %0\n\t"
          "ssat %0, #8, %0, asr #22"
          : "=&r"(code)
          : "r"((int32_t)first), "r"(add->first_factor), "r"(add->offset), "r"((int32_t)second),
            "r"(add->second_factor)
          : "cc");
    return (int8_t)code;
#else
    return (int8_t)dd_clamp(sum_of(add, first, second) >> DD_ADD_SHIFT, INT8_MIN, INT8_MAX);
#endif
}

static void add_plain(const dd_addition *params, const dd_row *row, int8_t *out)
{
    const dd_addition add = *params;
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    uint32_t left = row->count;
    for (; left >= 8; left -= 8) {
        out[0] = code_of(&add, first[0], second[0]);
        out[1] = code_of(&add, first[1], second[1]);
        out[2] = code_of(&add, first[2], second[2]);
        out[3] = code_of(&add, first[3], second[3]);
        out[4] = code_of(&add, first[4], second[4]);
        out[5] = code_of(&add, first[5], second[5]);
        out[6] = code_of(&add, first[6], second[6]);
        out[7] = code_of(&add, first[7], second[7]);
        first += 8;
        second += 8;
        out += 8;
    }
    for (; left != 0; left--) {
        *out++ = code_of(&add, *first++, *second++);
    }
}

#if ADD_VECTORS
/* Any shift and clamp, hops of 1. */
static void add_vectors(const dd_addition *add, const dd_row *row, int8_t *out)
{
    const int32x4_t offset = vdupq_n_s32(add->offset);
    const int32x4_t least = vdupq_n_s32(add->out_min);
    const int32x4_t most = vdupq_n_s32(add->out_max);
    const int32_t of_first = add->first_factor;
    const int32_t of_second = add->second_factor;
    const int32_t shift = -(int32_t)add->shift;
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    for (int32_t left = (int32_t)row->count; left > 0; left -= 4) {
        const mve_pred16_t there = vctp32q((uint32_t)left);
        int32x4_t sum = vmlaq_n_s32(offset, vldrbq_z_s32(first, there), of_first);
        sum = vmlaq_n_s32(sum, vldrbq_z_s32(second, there), of_second);
        const int32x4_t code = vshlq_r_s32(sum, shift);
        vstrbq_p_s32(out, vminq_s32(vmaxq_s32(code, least), most), there);
        first += 4;
        second += 4;
        out += 4;
    }
}
#endif

static void add_row(const void *params, const dd_row *row, int8_t *out)
{
    const dd_addition *const add = params;
    const bool each = row->first_hop == 1 && row->second_hop == 1;
#if ADD_VECTORS
    if (each) {
        add_vectors(add, row, out);
        return;
    }
#endif
    if (each && add->shift == DD_ADD_SHIFT && add->out_min == INT8_MIN &&
        add->out_max == INT8_MAX) {
        add_plain(add, row, out);
    } else {
        add_any(add, row, out);
    }
}

void dd_add_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
               uint32_t steps, int8_t *out)
{
    const dd_addition *const add = params;
    dd_pair_rows(&add->pair, add->constant, add, add_row, table, in, first, steps, out);
}
