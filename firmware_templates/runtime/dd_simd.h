/* What the DSP extension does with two int16 lanes or four int8 values of a word, as functions;
 * elsewhere the same in C. "low" and "high" are a word's lanes. */
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

/* The same of unsigned bytes 0 and 2. */
static inline uint32_t dd_lower_bytes(uint32_t word)
{
#if DD_SIMD_ASSEMBLY
    uint32_t lanes;
    __asm("uxtb16 %0, %1" : "=r"(lanes) : "r"(word));
    return lanes;
#else
    return word & 0x00FF00FFu;
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

static inline void dd_put_four(int8_t *at, uint32_t word)
{
    memcpy(at, &word, sizeof word);
}

/* The larger of each two of four int8 values. */
static inline uint32_t dd_max_bytes(uint32_t a, uint32_t b)
{
#if DD_SIMD_ASSEMBLY
    uint32_t difference;
    __asm("ssub8 %1, %0, %2\n\t"
          "sel %0, %0, %2"
          : "+r"(a), "=&r"(difference)
          : "r"(b)
          : "cc");
    return a;
#else
    uint32_t most = 0;
    for (uint32_t bits = 0; bits < 32u; bits += 8u) {
        const int8_t first = (int8_t)(a >> bits & 0xFFu);
        const int8_t second = (int8_t)(b >> bits & 0xFFu);
        most |= (uint32_t)(uint8_t)(first > second ? first : second) << bits;
    }
    return most;
#endif
}

/* The smaller of each two of four int8 values: of complements the larger, ~x being -1 - x. */
static inline uint32_t dd_min_bytes(uint32_t a, uint32_t b)
{
#if DD_SIMD_ASSEMBLY
    uint32_t difference;
    __asm("ssub8 %1, %0, %2\n\t"
          "sel %0, %2, %0"
          : "+r"(a), "=&r"(difference)
          : "r"(b)
          : "cc");
    return a;
#else
    return ~dd_max_bytes(~a, ~b);
#endif
}

/* Half the sum of each two of four int8 values, rounded down. */
static inline uint32_t dd_half_sums(uint32_t a, uint32_t b)
{
#if DD_SIMD_ASSEMBLY
    uint32_t halves;
    __asm("shadd8 %0, %1, %2" : "=r"(halves) : "r"(a), "r"(b));
    return halves;
#else
    uint32_t halves = 0;
    for (uint32_t bits = 0; bits < 32u; bits += 8u) {
        const int32_t sum = (int8_t)(a >> bits & 0xFFu) + (int8_t)(b >> bits & 0xFFu);
        halves |= (uint32_t)(uint8_t)(sum >> 1) << bits;
    }
    return halves;
#endif
}

/* Bytes 0 and 2, or 1 and 3, added to two lanes, which must not overflow. */
static inline uint32_t dd_add_even_bytes(uint32_t lanes, uint32_t word)
{
#if DD_SIMD_ASSEMBLY
    uint32_t sums;
    __asm("sxtab16 %0, %1, %2" : "=r"(sums) : "r"(lanes), "r"(word));
    return sums;
#else
    const uint32_t bytes = dd_even_bytes(word);
    return dd_lanes(dd_low(lanes) + dd_low(bytes), dd_high(lanes) + dd_high(bytes));
#endif
}

static inline uint32_t dd_add_odd_bytes(uint32_t lanes, uint32_t word)
{
#if DD_SIMD_ASSEMBLY
    uint32_t sums;
    __asm("sxtab16 %0, %1, %2, ror #8" : "=r"(sums) : "r"(lanes), "r"(word));
    return sums;
#else
    return dd_add_even_bytes(lanes, word >> 8);
#endif
}

/* Sums of four channels: of bytes 0 and 2, and of bytes 1 and 3. */
typedef struct dd_four_sums {
    uint32_t even;
    uint32_t odd;
} dd_four_sums;

static inline dd_four_sums dd_add_four(dd_four_sums sums, const int8_t *at)
{
    const uint32_t word = dd_four(at);
    sums.even = dd_add_even_bytes(sums.even, word);
    sums.odd = dd_add_odd_bytes(sums.odd, word);
    return sums;
}

/* offset + factor x one of the lanes / 2^16, rounded down. */
static inline int32_t dd_scale_low(int32_t factor, uint32_t lanes, int32_t offset)
{
#if DD_SIMD_ASSEMBLY
    int32_t sum;
    __asm("smlawb %0, %1, %2, %3" : "=r"(sum) : "r"(factor), "r"(lanes), "r"(offset));
    return sum;
#else
    return offset + (int32_t)(((int64_t)factor * dd_low(lanes)) >> 16);
#endif
}

static inline int32_t dd_scale_high(int32_t factor, uint32_t lanes, int32_t offset)
{
#if DD_SIMD_ASSEMBLY
    int32_t sum;
    __asm("smlawt %0, %1, %2, %3" : "=r"(sum) : "r"(factor), "r"(lanes), "r"(offset));
    return sum;
#else
    return offset + (int32_t)(((int64_t)factor * dd_high(lanes)) >> 16);
#endif
}

/* The upper bytes of both lanes of `even`, and of `odd`, as bytes 0 and 2, and 1 and 3. */
static inline uint32_t dd_upper_bytes(uint32_t even, uint32_t odd)
{
#if DD_SIMD_ASSEMBLY
    uint32_t evens;
    __asm("uxtb16 %0, %1, ror #8" : "=r"(evens) : "r"(even));
    return evens | (odd & 0xFF00FF00u);
#else
    return (even >> 8 & 0x00FF00FFu) | (odd & 0xFF00FF00u);
#endif
}

#endif
