/* Rounding and saturation: TFLite's reference arithmetic (double rounding), defined here only.
 *
 * real multiplier = multiplier x 2^(shift - 31), with multiplier from 2^30 to 2^31 - 1, or 0, and
 * shift from -31 to 30. The product is rounded twice: to the 31-bit mantissa's unit with ties
 * upward, then by the right shift with ties away from zero.
 *
 * With DD_CHECKED defined, arithmetic that leaves int32 traps instead of giving a wrong number. */
#ifndef DD_REQUANT_H
#define DD_REQUANT_H

#include <assert.h>
#include <stdint.h>

#include "dd_dot.h" /* which kernels, thus whether the core has long multiplications */

static_assert((-1 >> 1) == -1, "right shifts of negative integers must be arithmetic");

#if defined(DD_CHECKED)
#define DD_CHECK(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define DD_CHECK(condition) ((void)0)
#endif

/* a + b, where the caller knows that the sum fits. */
static inline int32_t dd_add(int32_t a, int32_t b)
{
    DD_CHECK((int64_t)a + b >= INT32_MIN && (int64_t)a + b <= INT32_MAX);
    return a + b;
}

/* value x 2^exponent, exponent 0 to 30, where the caller knows that the result fits. */
static inline int32_t dd_shift_left(int32_t value, int exponent)
{
    DD_CHECK(exponent >= 0 && exponent <= 30);
    DD_CHECK(((int64_t)value * ((int64_t)1 << exponent)) == (int32_t)((uint32_t)value << exponent));
    return (int32_t)((uint32_t)value << exponent);
}

/* value x multiplier / 2^31, ties upward; the one result that does not fit saturates. */
static inline int32_t dd_multiply_high(int32_t value, int32_t multiplier)
{
    if (value == INT32_MIN && multiplier == INT32_MIN) {
        return INT32_MAX;
    }
    return (int32_t)(((int64_t)value * multiplier + ((int64_t)1 << 30)) >> 31);
}

/* value / 2^exponent, exponent 0 to 31, ties away from zero. */
static inline int32_t dd_shift_right(int32_t value, int exponent)
{
    DD_CHECK(exponent >= 0 && exponent <= 31);
    const uint32_t mask = ((uint32_t)1 << exponent) - 1u;
    const uint32_t remainder = (uint32_t)value & mask;
    const uint32_t threshold = (mask >> 1) + (value < 0 ? 1u : 0u);
    return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/* value x multiplier x 2^(shift - 31). */
static inline int32_t dd_requantize(int32_t value, int32_t multiplier, int shift)
{
    if (shift > 0) {
        return dd_multiply_high(dd_shift_left(value, shift), multiplier);
    }
    return dd_shift_right(dd_multiply_high(value, multiplier), -shift);
}

/* value x (multiplier + fraction x 2^-32) x 2^(shift - 31), rounded once, ties away from zero. */
static inline int32_t dd_requantize_once(int32_t value, int32_t multiplier, uint32_t fraction,
                                         int32_t shift)
{
    DD_CHECK(multiplier >= 0 && shift >= -31 && shift <= 30);
    const uint64_t size = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    const uint64_t product = size * (uint32_t)multiplier + (size * fraction >> 32);
    const uint32_t down = (uint32_t)(31 - shift);
    const uint64_t rounded = (product + ((uint64_t)1 << (down - 1u))) >> down;
    DD_CHECK(rounded <= INT32_MAX);
    return value < 0 ? -(int32_t)rounded : (int32_t)rounded;
}

static inline int32_t dd_clamp(int32_t value, int32_t low, int32_t high)
{
    const int32_t raised = value < low ? low : value;
    return raised > high ? high : raised;
}

/* dd_multiply_high for multiplier >= 0, cheaper: bits 30 and 31 of the product round and complete
 * its upper half. */
static inline int32_t dd_multiply_high_positive(int32_t value, int32_t multiplier)
{
    DD_CHECK(multiplier >= 0);
#if DD_KERNELS == DD_KERNELS_PLAIN
    /* Four products of 16-bit halves; the lowest 16 bits of the whole are not needed. */
    const int32_t value_low = value & 0xFFFF;
    const int32_t multiplier_low = multiplier & 0xFFFF;
    const uint32_t lowest = (uint32_t)value_low * (uint32_t)multiplier_low;
    const int32_t first = (value >> 16) * multiplier_low + (int32_t)(lowest >> 16);
    const int32_t second = value_low * (multiplier >> 16) + (first & 0xFFFF);
    const int32_t upper = (value >> 16) * (multiplier >> 16) + (first >> 16) + (second >> 16);
    return upper * 2 + ((((second >> 14) & 3) + 1) >> 1);
#else
    const int64_t product = (int64_t)value * multiplier;
    return (int32_t)(product >> 32) * 2 + (int32_t)((((uint32_t)product >> 30) + 1u) >> 1);
#endif
}

/* dd_clamp(dd_requantize(value, multiplier, -exponent) + zero_point, -128, 127) + 128 at half the
 * cost, for multiplier >= 0 and exponent 2 to 31; `offset` is dd_index_offset(zero_point). The
 * right shift is split in a floor by 2^(exponent - 1) and a rounding halving, which takes in zero
 * point and clamp. */
static inline int32_t dd_index_offset(int32_t zero_point)
{
    return 2 * (zero_point + 128) + 1;
}

/* The part of dd_requantize_index behind the multiplication, without its clamp. */
static inline int32_t dd_any_index_of_high(int32_t high, int32_t exponent, int32_t offset)
{
    const int32_t away = high + (high >> 31); /* so that ties of negative values leave zero, too */
    return ((away >> (exponent - 1)) + offset) >> 1;
}

static inline int32_t dd_index_of_high(int32_t high, int32_t exponent, int32_t offset)
{
    return dd_clamp(dd_any_index_of_high(high, exponent, offset), 0, 255);
}

static inline int32_t dd_requantize_index(int32_t value, int32_t multiplier, int32_t exponent,
                                          int32_t offset)
{
    DD_CHECK(exponent >= 2 && exponent <= 31);
    return dd_index_of_high(dd_multiply_high_positive(value, multiplier), exponent, offset);
}

#endif
