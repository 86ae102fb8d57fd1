#include "dd_mul_s8.h"

#include "dd_clamp_codes.h"
#include "dd_requant.h"

#if DD_KERNELS == DD_KERNELS_HELIUM && defined(__ARM_FEATURE_MVE)
#define MUL_VECTORS 1
#include <arm_mve.h>
#else
#define MUL_VECTORS 0
#endif

#define SHIFT_LIMIT                                                              \
    22 /* a zero point shifted by it, and a product, are less than 2^31 together \
        */

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

#if MUL_VECTORS
/* Any shift, hops of 1. The vector multiplication rounds as dd_multiply_high does. */
static void multiply_vectors(const dd_multiplication *of, const dd_row *row, int8_t *out)
{
    const int32x4_t least = vdupq_n_s32(of->out_min);
    const int32x4_t most = vdupq_n_s32(of->out_max);
    const int32_t left = of->shift > 0 ? of->shift : 0;
    const int32_t right = of->shift < 0 ? of->shift : 0;
    const int32x4_t away = vdupq_n_s32(right != 0 ? -1 : 0); /* so that ties leave zero */
    for (uint32_t at = 0; at < row->count; at += 4) {
        const mve_pred16_t active = vctp32q(row->count - at);
        const int32x4_t first =
            vsubq_n_s32(vldrbq_z_s32(row->first + at, active), of->first_zero_point);
        const int32x4_t second =
            vsubq_n_s32(vldrbq_z_s32(row->second + at, active), of->second_zero_point);
        const int32x4_t product = vshlq_r_s32(vmulq_s32(first, second), left);
        const int32x4_t high = vqrdmulhq_n_s32(product, of->multiplier);
        const int32x4_t fixed = vaddq_s32(high, vandq_s32(vshrq_n_s32(high, 31), away));
        const int32x4_t code = vaddq_n_s32(vrshlq_n_s32(fixed, right), of->out_zero_point);
        vstrbq_p_s32(out + at, vminq_s32(vmaxq_s32(code, least), most), active);
    }
}
#endif

/* How a product becomes a code where the shift is 1 to 22 to the right: what a multiplication that
 * adds needs. */
typedef struct scaling {
    int32_t first; /* what twice a code of the first operand lacks to twice its value */
    int32_t second_zero_point;
    int32_t multiplier;
    int32_t rounding; /* half, and the zero point, in the steps before the shift */
    int32_t exponent;
} scaling;

/* The same as dd_requantize_index, with the zero point and half a step added before the shift. */
static inline int32_t code_of(const scaling *by, int8_t first, int8_t second)
{
    const int32_t twice = (by->first + 2 * first) * (second - by->second_zero_point);
    const int32_t added = by->rounding + (twice >> 31); /* ties of negative values leave zero */
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    int32_t code;
    __asm("smmlar %0, %1, %2, %3\n\t"
          "asr %0, %0, %4\n\t"
          "ssat %0, #8, %0"
          : "=&r"(code)
          : "r"(twice), "r"(by->multiplier), "r"(added), "r"(by->exponent)
          : "cc");
    return code;
#else
    const int32_t high = dd_multiply_high_positive(twice / 2, by->multiplier);
    return dd_clamp((high + added) >> by->exponent, INT8_MIN, INT8_MAX);
#endif
}

static void multiply_small(const dd_multiplication *of, const dd_row *row, int8_t *out)
{
    const scaling by = {
        .first = -2 * of->first_zero_point,
        .second_zero_point = of->second_zero_point,
        .multiplier = of->multiplier,
        .rounding = (1 << (-of->shift - 1)) + of->out_zero_point * (1 << -of->shift),
        .exponent = -of->shift,
    };
    const int8_t *first = row->first;
    const int8_t *second = row->second;
    const uint32_t first_hop = row->first_hop;
    const uint32_t second_hop = row->second_hop;
    int8_t *at = out;
    for (uint32_t left = row->count; left != 0; left--) {
        *at++ = (int8_t)code_of(&by, *first, *second);
        first += first_hop;
        second += second_hop;
    }
    if (of->out_min != INT8_MIN || of->out_max != INT8_MAX) {
        dd_clamp_codes(out, row->count, of->out_min, of->out_max);
    }
}

static void multiply_row(const void *params, const dd_row *row, int8_t *out)
{
    const dd_multiplication *const of = params;
#if MUL_VECTORS
    if (row->first_hop != 0 && row->second_hop != 0) {
        multiply_vectors(of, row, out);
        return;
    }
#endif
    if (of->shift <= -1 && of->shift >= -SHIFT_LIMIT) {
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
