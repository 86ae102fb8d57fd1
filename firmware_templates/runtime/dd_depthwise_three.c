/* A kernel of three without a stride is what most depthwise convolutions are. The values of five
 * steps of two channels fill three registers, two more hold the weights, three the sums of three
 * steps; the compiler spills half of this, hence the assembly: 63 instructions for 18 products and
 * their six codes, 57 where no code is below the zero point. */
#include "dd_depthwise_parts.h"

#if DD_KERNELS == DD_KERNELS_DSP

#if DD_SIMD_ASSEMBLY && defined(__ARM_FEATURE_UNALIGNED)

/* One of the sums to a code, as dd_depthwise_code does. */
#define ANY_CODE(sum)                     \
    "add lr, r12, " sum ", asr #31\n\t"   \
    "smmlar " sum ", " sum ", r7, lr\n\t" \
    "asr " sum ", " sum ", r8\n\t"        \
    "ssat " sum ", #8, " sum "\n\t"
/* The same where it does not matter how ties of negative values are rounded. */
#define CLAMPED_CODE(sum)                  \
    "smmlar " sum ", " sum ", r7, r12\n\t" \
    "asr " sum ", " sum ", r8\n\t"         \
    "ssat " sum ", #8, " sum "\n\t"
/* Three steps of one channel, which is the lower byte of each half, or turned to be it. r7 and r8
 * are the weights, then with r12 the multiplier, the shift and the offset; r11, r10 and r9 the
 * sums.
 */
#define CHANNEL(turned, CODE)                           \
    "ldm r3!, {r7, r8, r9}\n\t"                         \
    "sxtb16 r10, r4" turned "\n\t"                      \
    "smlad r11, r10, r7, r9\n\t"                        \
    "smlatb r10, r10, r7, r9\n\t"                       \
    "sxtb16 r12, r5" turned "\n\t"                      \
    "smlad r9, r12, r7, r9\n\t"                         \
    "smlabt r11, r12, r8, r11\n\t"                      \
    "smlad r10, r12, r8, r10\n\t"                       \
    "sxtb16 r12, r6" turned "\n\t"                      \
    "smlabt r9, r12, r8, r9\n\t"                        \
    "ldm r3!, {r7, r8, r12}\n\t" CODE("r9") CODE("r10") \
        CODE("r11") "strb r10, [r2, r1]\n\t"            \
                    "strb r9, [r2, r1, lsl #1]\n\t"     \
                    "strb r11, [r2], #1\n\t"
/* Until r2, `out`, is `end`. r4 and r5 have two steps each, r6 the last one. */
#define CHANNELS(CODE)                                                   \
    __asm volatile("push {r4-r11, lr}\n"                                 \
                   "1:\n\t"                                              \
                   "add lr, r0, r1, lsl #1\n\t"                          \
                   "ldrh r7, [r0, r1]\n\t"                               \
                   "ldrh r5, [lr]\n\t"                                   \
                   "ldrh r8, [lr, r1]\n\t"                               \
                   "ldrh r6, [lr, r1, lsl #1]\n\t"                       \
                   "ldrh r4, [r0], #2\n\t"                               \
                   "pkhbt r4, r4, r7, lsl #16\n\t"                       \
                   "pkhbt r5, r5, r8, lsl #16\n\t" CHANNEL("", CODE)     \
                       CHANNEL(", ror #8", CODE) "ldr lr, [sp, #36]\n\t" \
                                                 "cmp r2, lr\n\t"        \
                                                 "bne 1b\n\t"            \
                                                 "pop {r4-r11, pc}")
#define UNUSED __attribute__((unused))

/* A naked function may hold nothing but assembly. */
__attribute__((naked)) static void any_codes(UNUSED const int8_t *in, UNUSED uint32_t hop,
                                             UNUSED int8_t *out, UNUSED const uint32_t *words,
                                             UNUSED const int8_t *end)
{
    CHANNELS(ANY_CODE);
}

__attribute__((naked)) static void clamped_codes(UNUSED const int8_t *in, UNUSED uint32_t hop,
                                                 UNUSED int8_t *out, UNUSED const uint32_t *words,
                                                 UNUSED const int8_t *end)
{
    CHANNELS(CLAMPED_CODE);
}

void dd_depthwise_three(const dd_conv1d *layer, const uint32_t *words, const int8_t *in,
                        uint32_t hop, uint32_t count, int8_t *out)
{
    if (count == 0) {
        return;
    }
    if (layer->out_min >= layer->out_zero_point) {
        clamped_codes(in, hop, out, words, out + count);
    } else {
        any_codes(in, hop, out, words, out + count);
    }
}

#else

/* Three steps of one channel. */
static void store_three(const uint32_t *words, const int8_t *in, uint32_t hop, int8_t *out)
{
    const dd_depthwise_end *const end = (const dd_depthwise_end *)(const void *)(words + 2);
    for (uint32_t step = 0; step < 3; step++) {
        const uint32_t first = dd_lanes(in[0], in[hop]);
        const uint32_t last = dd_lanes(in[hop], in[2 * hop]);
        const int32_t sum = dd_add_products(first, words[0], end->bias);
        *out = (int8_t)dd_depthwise_code(dd_add_high_high(last, words[1], sum), end);
        in += hop;
        out += hop;
    }
}

void dd_depthwise_three(const dd_conv1d *layer, const uint32_t *words, const int8_t *in,
                        uint32_t hop, uint32_t count, int8_t *out)
{
    (void)layer;
    for (uint32_t channel = 0; channel < count; channel++) {
        store_three(words, in + channel, hop, out + channel);
        words += 2u + DD_DEPTHWISE_END_WORDS;
    }
}

#endif

#endif
