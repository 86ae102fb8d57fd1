/* Four int8 values in a word, for cores with the DSP extension. */
#ifndef DD_WORDS_H
#define DD_WORDS_H

#include <stdint.h>
#include <string.h>

#include "dd_dot.h" /* which kernels */

#if DD_KERNELS == DD_KERNELS_DSP && defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define DD_WORDS 1
#else
#define DD_WORDS 0
#endif

#if DD_WORDS

/* From any address: one instruction, unless the compiler was told that what is not aligned traps.
 */
static inline uint32_t dd_load_word(const int8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline void dd_store_word(int8_t *at, uint32_t word)
{
    memcpy(at, &word, sizeof word);
}

/* The larger of each pair of bytes: a signed subtraction says which, a selection takes it. */
static inline uint32_t dd_max_bytes(uint32_t a, uint32_t b)
{
    uint32_t difference;
    __asm("ssub8 %1, %0, %2\n\t"
          "sel %0, %0, %2"
          : "+r"(a), "=&r"(difference)
          : "r"(b)
          : "cc");
    return a;
}

/* The smaller of each pair of bytes. */
static inline uint32_t dd_min_bytes(uint32_t a, uint32_t b)
{
    uint32_t difference;
    __asm("ssub8 %1, %0, %2\n\t"
          "sel %0, %2, %0"
          : "+r"(a), "=&r"(difference)
          : "r"(b)
          : "cc");
    return a;
}

/* Bytes 0 and 2, or 1 and 3, of a word added to two int16 sums. */
static inline uint32_t dd_add_even_bytes(uint32_t sums, uint32_t word)
{
    uint32_t result;
    __asm("sxtab16 %0, %1, %2" : "=r"(result) : "r"(sums), "r"(word));
    return result;
}

static inline uint32_t dd_add_odd_bytes(uint32_t sums, uint32_t word)
{
    uint32_t result;
    __asm("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(sums), "r"(word));
    return result;
}

#endif

#endif
