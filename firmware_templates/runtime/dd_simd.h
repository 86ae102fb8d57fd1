/* What the DSP extension does with two int16 lanes of a word, as functions; elsewhere the same in
 * C. "low" and "high" are a word's lanes. */
#ifndef DD_SIMD_H
#define DD_SIMD_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define DD_SIMD_ASSEMBLY 1
#else
#define DD_SIMD_ASSEMBLY 0
#endif

static inline int32_t dd_low(uint32_t lanes)
{
    return (int16_t)(lanes & 0xFFFFu);
}

static inline int32_t dd_high(uint32_t lanes)
{
    return (int16_t)(lanes >> 16);
}

static inline uint32_t dd_lanes(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

/* Four values, from anywhere. */
static inline uint32_t dd_four(const int8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* The lower half of both, then the upper half of both. */
static inline uint32_t dd_lower_halves(uint32_t a, uint32_t b)
{
    return (a & 0xFFFFu) | b << 16;
}

static inline uint32_t dd_upper_halves(uint32_t a, uint32_t b)
{
    return a >> 16 | (b & 0xFFFF0000u);
}

/* Bytes 0 and 2 as lanes. */
static inline uint32_t dd_even_bytes(uint32_t word)
{
#if DD_SIMD_ASSEMBLY
    uint32_t lanes;
    __asm("sxtb16 %0, %1" : "=r"(lanes) : "r"(word));
    return lanes;
#else
    return dd_lanes((int8_t)(word & 0xFFu), (int8_t)(word >> 16 & 0xFFu));
#endif
}

/* Bytes 1 and 3 as lanes. */
static inline uint32_t dd_odd_bytes(uint32_t word)
{
#if DD_SIMD_ASSEMBLY
    uint32_t lanes;
    __asm("sxtb16 %0, %1, ror #8" : "=r"(lanes) : "r"(word));
    return lanes;
#else
    return dd_even_bytes(word >> 8);
#endif
}

/* sum + both products of lanes that stand together. */
static inline int32_t dd_add_products(uint32_t a, uint32_t b, int32_t sum)
{
#if DD_SIMD_ASSEMBLY
    int32_t more;
    __asm("smlad %0, %1, %2, %3" : "=r"(more) : "r"(a), "r"(b), "r"(sum));
    return more;
#else
    return sum + dd_low(a) * dd_low(b) + dd_high(a) * dd_high(b);
#endif
}

/* sum + the product of a's low lane and b's high one, or the other way round, or both high. */
static inline int32_t dd_add_low_high(uint32_t a, uint32_t b, int32_t sum)
{
#if DD_SIMD_ASSEMBLY
    int32_t more;
    __asm("smlabt %0, %1, %2, %3" : "=r"(more) : "r"(a), "r"(b), "r"(sum));
    return more;
#else
    return sum + dd_low(a) * dd_high(b);
#endif
}

static inline int32_t dd_add_high_low(uint32_t a, uint32_t b, int32_t sum)
{
#if DD_SIMD_ASSEMBLY
    int32_t more;
    __asm("smlatb %0, %1, %2, %3" : "=r"(more) : "r"(a), "r"(b), "r"(sum));
    return more;
#else
    return sum + dd_high(a) * dd_low(b);
#endif
}

static inline int32_t dd_add_high_high(uint32_t a, uint32_t b, int32_t sum)
{
#if DD_SIMD_ASSEMBLY
    int32_t more;
    __asm("smlatt %0, %1, %2, %3" : "=r"(more) : "r"(a), "r"(b), "r"(sum));
    return more;
#else
    return sum + dd_high(a) * dd_high(b);
#endif
}

/* offset + a x b / 2^32, rounded to nearest, ties upward. */
static inline int32_t dd_add_rounded_high(int32_t a, int32_t b, int32_t offset)
{
#if DD_SIMD_ASSEMBLY
    int32_t sum;
    __asm("smmlar %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(offset));
    return sum;
#else
    return offset + (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}

/* The nearest int8. */
static inline int32_t dd_saturate(int32_t value)
{
#if DD_SIMD_ASSEMBLY
    int32_t code;
    __asm("ssat %0, #8, %1" : "=r"(code) : "r"(value));
    return code;
#else
    const int32_t raised = value < INT8_MIN ? INT8_MIN : value;
    return raised > INT8_MAX ? INT8_MAX : raised;
#endif
}

/* Each of four int8 values, no less than in `least` and no more than in `most`. */
static inline uint32_t dd_clamp_bytes(uint32_t values, uint32_t least, uint32_t most)
{
#if DD_SIMD_ASSEMBLY
    uint32_t clamped;
    uint32_t difference;
    __asm("ssub8 %1, %2, %3\n\t"
          "sel %0, %2, %3\n\t"
          "ssub8 %1, %4, %0\n\t"
          "sel %0, %0, %4"
          : "=&r"(clamped), "=&r"(difference)
          : "r"(values), "r"(least), "r"(most)
          : "cc");
    return clamped;
#else
    uint32_t clamped = 0;
    for (uint32_t bits = 0; bits < 32u; bits += 8u) {
        const int8_t value = (int8_t)(values >> bits & 0xFFu);
        const int8_t low = (int8_t)(least >> bits & 0xFFu);
        const int8_t high = (int8_t)(most >> bits & 0xFFu);
        const int8_t raised = value < low ? low : value;
        clamped |= (uint32_t)(uint8_t)(raised > high ? high : raised) << bits;
    }
    return clamped;
#endif
}

#endif
