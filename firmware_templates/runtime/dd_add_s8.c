#include "dd_add_s8.h"

#include "dd_clamp_codes.h"
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

#if ADD_VECTORS
/* Hops of 1. */
static void add_each(const dd_addition *add, const dd_row *row, int8_t *out)
{
    const int32x4_t offset = vdupq_n_s32(add->offset);
    const int32x4_t least = vdupq_n_s32(add->out_min);
    const int32x4_t most = vdupq_n_s32(add->out_max);
    const int32_t of_first = add->first_factor;
    const int32_t of_second = add->second_factor;
    const int32_t shift = -(int32_t)add->shift;
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    for (uint32_t quads = row->count / 4; quads != 0; quads--) {
        int32x4_t sum = vmlaq_n_s32(offset, vldrbq_s32(first), of_first);
        sum = vmlaq_n_s32(sum, vldrbq_s32(second), of_second);
        vstrbq_s32(out, vminq_s32(vmaxq_s32(vshlq_r_s32(sum, shift), least), most));
        first += 4;
        second += 4;
        out += 4;
    }
    const mve_pred16_t there = vctp32q(row->count % 4);
    int32x4_t sum = vmlaq_n_s32(offset, vldrbq_z_s32(first, there), of_first);
    sum = vmlaq_n_s32(sum, vldrbq_z_s32(second, there), of_second);
    vstrbq_p_s32(out, vminq_s32(vmaxq_s32(vshlq_r_s32(sum, shift), least), most), there);
}

#else

/* Where the next values of two operands and of their sum lie. */
typedef struct places {
    const int8_t *first;
    const int8_t *second;
    int8_t *out;
} places;

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
static_assert(DD_ADD_SHIFT == 22, "the assembly says it");

/* Add the next values; the shift is `add`'s. */
static inline places add_next(const dd_addition *add, places at)
{
    int32_t first;
    int32_t second;
    __asm volatile("ldrsb %0, [%2], #1\n\t"
                   "ldrsb %1, [%3], #1\n\t"
                   "mla %0, %0, %5, %7\n\t"
                   "mla %0, %1, %6, %0\n\t"
                   "asr %0, %0, %8\n\t"
                   "ssat %0, #8, %0\n\t"
                   "strb %0, [%4], #1"
                   : "=&r"(first), "=&r"(second), "+&r"(at.first), "+&r"(at.second), "+&r"(at.out)
                   : "r"(add->first_factor), "r"(add->second_factor), "r"(add->offset),
                     "r"((uint32_t)add->shift)
                   : "memory");
    return at;
}

/* The same where the shift is DD_ADD_SHIFT: one instruction less. */
static inline places add_next_fast(const dd_addition *add, places at)
{
    int32_t first;
    int32_t second;
    __asm volatile("ldrsb %0, [%2], #1\n\t"
                   "ldrsb %1, [%3], #1\n\t"
                   "mla %0, %0, %5, %7\n\t"
                   "mla %0, %1, %6, %0\n\t"
                   "ssat %0, #8, %0, asr #22\n\t"
                   "strb %0, [%4], #1"
                   : "=&r"(first), "=&r"(second), "+&r"(at.first), "+&r"(at.second), "+&r"(at.out)
                   : "r"(add->first_factor), "r"(add->second_factor), "r"(add->offset)
                   : "memory");
    return at;
}
#else
static inline places add_next(const dd_addition *add, places at)
{
    const int32_t code = sum_of(add, *at.first++, *at.second++) >> add->shift;
    *at.out++ = (int8_t)dd_clamp(code, INT8_MIN, INT8_MAX);
    return at;
}

#define add_next_fast add_next
#endif

static void add_values(const dd_addition *params, places at, uint32_t count)
{
    const dd_addition add = *params; /* which the compiler then knows to stay as it is */
    if (add.shift == DD_ADD_SHIFT) {
        for (; count >= 8; count -= 8) {
            at = add_next_fast(&add, add_next_fast(&add, add_next_fast(&add, at)));
            at = add_next_fast(&add, add_next_fast(&add, add_next_fast(&add, at)));
            at = add_next_fast(&add, add_next_fast(&add, at));
        }
    }
    for (; count >= 4; count -= 4) {
        at = add_next(&add, add_next(&add, add_next(&add, add_next(&add, at))));
    }
    for (; count != 0; count--) {
        at = add_next(&add, at);
    }
}

/* Hops of 1. */
static void add_each(const dd_addition *add, const dd_row *row, int8_t *out)
{
    add_values(add, (places){row->first, row->second, out}, row->count);
    if (add->out_min != INT8_MIN || add->out_max != INT8_MAX) {
        dd_clamp_codes(out, row->count, add->out_min, add->out_max);
    }
}
#endif

static void add_row(const void *params, const dd_row *row, int8_t *out)
{
    if (row->first_hop != 0 && row->second_hop != 0) {
        add_each(params, row, out);
        return;
    }
    /* The operand that is one value becomes a part of the offset. */
    dd_addition add = *(const dd_addition *)params;
    dd_row each = *row;
    if (row->second_hop == 0) {
        add.offset = sum_of(&add, 0, *row->second);
        add.second_factor = 0;
        each.second = each.first;
    } else {
        add.offset = sum_of(&add, *row->first, 0);
        add.first_factor = 0;
        each.first = each.second;
    }
    add_each(&add, &each, out);
}

void dd_add_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
               uint32_t steps, int8_t *out)
{
    const dd_addition *const add = params;
    dd_pair_rows(&add->pair, add->constant, add, add_row, table, in, first, steps, out);
}
