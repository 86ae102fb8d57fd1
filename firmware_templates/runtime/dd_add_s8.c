#include "dd_add_s8.h"

#include "dd_clamp_codes.h"
#include "dd_requant.h"
#include "dd_simd.h"

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)
#define ADD_VECTORS 1
#include <arm_mve.h>
#else
#define ADD_VECTORS 0
#endif

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
#define ADD_SATURATES 1
#else
#define ADD_SATURATES 0
#endif

/* Four at a time are loaded as words from anywhere. */
#if DD_KERNELS == DD_KERNELS_DSP && (!DD_SIMD_ASSEMBLY || defined(__ARM_FEATURE_UNALIGNED))
#define ADD_FOURS 1
#else
#define ADD_FOURS 0
#endif

/* One value's sum; unsigned, because a part of it may leave int32 where the whole does not. */
static inline int32_t sum_of(const dd_addition *add, int8_t first, int8_t second)
{
    const uint32_t of_first = (uint32_t)first * (uint32_t)add->first_factor;
    const uint32_t of_second = (uint32_t)second * (uint32_t)add->second_factor;
    return (int32_t)(of_first + of_second + (uint32_t)add->offset);
}

/* What an operand adds to the offset of the other form. */
static inline int32_t high_of(int32_t factor, int8_t value)
{
    return (int32_t)(((int64_t)factor * value) >> 8);
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
    const mve_pred16_t active = vctp32q(row->count % 4);
    int32x4_t sum = vmlaq_n_s32(offset, vldrbq_z_s32(first, active), of_first);
    sum = vmlaq_n_s32(sum, vldrbq_z_s32(second, active), of_second);
    vstrbq_p_s32(out, vminq_s32(vmaxq_s32(vshlq_r_s32(sum, shift), least), most), active);
}

#else

/* Where the next values of two operands and of their sum lie. */
typedef struct places {
    const int8_t *first;
    const int8_t *second;
    int8_t *out;
} places;

#if ADD_SATURATES
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

#if !ADD_FOURS
static_assert(DD_ADD_SHIFT == 22, "the assembly says it");

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
#endif
#else
static inline places add_next(const dd_addition *add, places at)
{
    const int32_t code = sum_of(add, *at.first++, *at.second++) >> add->shift;
    *at.out++ = (int8_t)dd_clamp(code, INT8_MIN, INT8_MAX);
    return at;
}
#endif

#if ADD_FOURS
/* Add the next four values by the other form. */
static inline places add_four(const dd_addition *add, uint32_t upper_bytes, places at)
{
#if DD_SIMD_ASSEMBLY
    uint32_t a;
    uint32_t b;
    uint32_t evens;
    uint32_t odds;
    uint32_t sum;
    /* In pairs of halves, each code in the upper byte of one. */
    __asm volatile("ldr %0, [%5], #4\n\t"
                   "ldr %1, [%6], #4\n\t"
                   "and %2, %11, %0, lsl #8\n\t"
                   "and %3, %11, %1, lsl #8\n\t"
                   "and %0, %0, %11\n\t"
                   "and %1, %1, %11\n\t"
                   "smlawb %4, %8, %2, %10\n\t"
                   "smlawt %2, %8, %2, %10\n\t"
                   "smlawb %4, %9, %3, %4\n\t"
                   "smlawt %2, %9, %3, %2\n\t"
                   "pkhtb %4, %2, %4, asr #16\n\t"
                   "smlawb %2, %8, %0, %10\n\t"
                   "smlawt %0, %8, %0, %10\n\t"
                   "smlawb %2, %9, %1, %2\n\t"
                   "smlawt %0, %9, %1, %0\n\t"
                   "pkhtb %2, %0, %2, asr #16\n\t"
                   "usat16 %4, #8, %4\n\t"
                   "usat16 %2, #8, %2\n\t"
                   "orr %0, %4, %2, lsl #8\n\t"
                   "eor %0, %0, #0x80808080\n\t"
                   "str %0, [%7], #4"
                   : "=&r"(a), "=&r"(b), "=&r"(evens), "=&r"(odds), "=&r"(sum), "+&r"(at.first),
                     "+&r"(at.second), "+&r"(at.out)
                   : "r"(add->first_high), "r"(add->second_high), "r"(add->high_offset),
                     "r"(upper_bytes)
                   : "memory");
#else
    (void)upper_bytes;
    for (int i = 0; i < 4; i++) {
        const int32_t of_first = high_of(add->first_high, *at.first++);
        const int32_t of_second = high_of(add->second_high, *at.second++);
        const int32_t code = dd_clamp((of_first + of_second + add->high_offset) >> 16, 0, 255);
        *at.out++ = (int8_t)(code - 128);
    }
#endif
    return at;
}

/* The first ones of `count` values, in whole fours. Returns where the others lie. */
static places add_fours(const dd_addition *params, places at, uint32_t count)
{
    const dd_addition add = *params;
    const uint32_t upper_bytes = 0xFF00FF00u;
    for (uint32_t left = count / 16; left != 0; left--) {
        at = add_four(&add, upper_bytes, add_four(&add, upper_bytes, at));
        at = add_four(&add, upper_bytes, add_four(&add, upper_bytes, at));
    }
    for (uint32_t left = count % 16 / 4; left != 0; left--) {
        at = add_four(&add, upper_bytes, at);
    }
    return at;
}
#endif

static void add_values(const dd_addition *params, places at, uint32_t count)
{
    const dd_addition add = *params; /* which the compiler then knows to stay as it is */
#if ADD_FOURS
    if (params->first_high != 0 || params->second_high != 0) {
        at = add_fours(params, at, count);
        count %= 4;
    }
#endif
#if ADD_SATURATES && !ADD_FOURS
    for (; count >= 8 && add.shift == DD_ADD_SHIFT; count -= 8) {
        at = add_next_fast(&add, add_next_fast(&add, add_next_fast(&add, at)));
        at = add_next_fast(&add, add_next_fast(&add, add_next_fast(&add, at)));
        at = add_next_fast(&add, add_next_fast(&add, at));
    }
#endif
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
    dd_row varying = *row;
    if (row->second_hop == 0) {
        add.offset = sum_of(&add, 0, *row->second);
        add.second_factor = 0;
        add.high_offset += high_of(add.second_high, *row->second);
        add.second_high = 0;
        varying.second = varying.first;
    } else {
        add.offset = sum_of(&add, *row->first, 0);
        add.first_factor = 0;
        add.high_offset += high_of(add.first_high, *row->first);
        add.first_high = 0;
        varying.first = varying.second;
    }
    add_each(&add, &varying, out);
}

void dd_add_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
               uint32_t steps, int8_t *out)
{
    const dd_addition *const add = params;
    dd_pair_rows(&add->pair, add->constant, add, add_row, table, in, first, steps, out);
}
