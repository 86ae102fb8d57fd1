/* One step of a kernel of any length, four channels at a time: two steps of the input are two
 * words, which become a pair of values of each channel. 21 instructions for eight products, and 14
 * for the last four where the number of taps is odd. */
#include "dd_depthwise_parts.h"

#if DD_KERNELS == DD_KERNELS_DSP

#if DD_SIMD_ASSEMBLY && defined(__ARM_FEATURE_UNALIGNED)

/* What all_quads works on; its assembly knows the fields by their offsets. */
typedef struct quads_job {
    const int8_t *at;      /* moves on */
    uint32_t down;         /* bytes from tap to tap */
    const uint32_t *words; /* moves on */
    uint32_t hop;          /* bytes from channel to channel of the words */
    uint32_t pairs;        /* of taps */
    uint32_t odd;          /* one more tap */
    int8_t *out;           /* moves on */
    const int8_t *end;     /* of `out` */
    uint32_t weight_bytes; /* of a channel, in front of its dd_depthwise_end */
} quads_job;

/* A pair of values of the channel whose weights lr holds. */
#define PAIR(sum, values)        \
    "sxtb16 r12, " values "\n\t" \
    "smlad " sum ", r12, lr, " sum "\n\t"
/* One channel's sum to a code. */
#define CODE(sum)                          \
    "ldm r2, {r9-r12}\n\t"                 \
    "add r2, r2, r3\n\t"                   \
    "add " sum ", " sum ", r9\n\t"         \
    "add r9, r12, " sum ", asr #31\n\t"    \
    "smmlar " sum ", " sum ", r10, r9\n\t" \
    "asr " sum ", " sum ", r11\n\t"        \
    "ssat " sum ", #8, " sum "\n\t"        \
    "strb " sum ", [r4], #1\n\t"

/* r0 values, r1 from tap to tap, r2 words, r3 from channel to channel, r4 pairs and then `out`, r5
 * to r8 the sums; the job lies on the stack. A naked function may hold nothing but assembly. */
__attribute__((naked)) static void all_quads(__attribute__((unused)) quads_job *job)
{
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "1:\n\t"
        "ldr lr, [sp]\n\t"
        "ldm lr, {r0-r4}\n\t"
        "add r5, r0, #4\n\t"
        "str r5, [lr]\n\t"
        "mov r5, #0\n\t"
        "mov r6, #0\n\t"
        "mov r7, #0\n\t"
        "mov r8, #0\n\t"
        "cbz r4, 3f\n"
        "2:\n\t"
        "ldr r9, [r0]\n\t"
        "ldr r10, [r0, r1]\n\t"
        "add r0, r0, r1, lsl #1\n\t"
        "pkhbt r11, r9, r10, lsl #16\n\t"
        "pkhtb r9, r10, r9, asr #16\n\t"
        "add r10, r2, r3, lsl #1\n\t"
        "ldr lr, [r2, r3]\n\t" PAIR("r6", "r11, ror #8") "ldr lr, [r2], #4\n\t" PAIR("r5", "r11") "ldr lr, [r10, r3]\n\t" PAIR(
            "r8",
            "r9, ror #8") "ldr lr, [r10]\n\t" PAIR("r7",
                                                   "r9") "subs r4, #1\n\t"
                                                         "bne 2b\n"
                                                         "3:\n\t"
                                                         "ldr lr, [sp]\n\t"
                                                         "ldr r4, [lr, #20]\n\t"
                                                         "cbz r4, 4f\n\t"
                                                         "ldr r9, [r0]\n\t"
                                                         "sxtb16 r11, r9\n\t"
                                                         "sxtb16 r12, r9, ror #8\n\t"
                                                         "add r10, r2, r3, lsl #1\n\t"
                                                         "ldr r9, [r2, r3]\n\t"
                                                         "smlabt r6, r12, r9, r6\n\t"
                                                         "ldr r9, [r2], #4\n\t"
                                                         "smlabt r5, r11, r9, r5\n\t"
                                                         "ldr r9, [r10]\n\t"
                                                         "smlatt r7, r11, r9, r7\n\t"
                                                         "ldr r9, [r10, r3]\n\t"
                                                         "smlatt r8, r12, r9, r8\n"
                                                         "4:\n\t"
                                                         "ldr r4, [lr, #24]\n\t" CODE("r5")
                                                             CODE("r6") CODE("r7")
                                                                 CODE("r8") "str r4, [lr, #24]\n\t"
                                                                            "ldr r9, [lr, #32]\n\t"
                                                                            "sub r2, r2, r9\n\t"
                                                                            "str r2, [lr, #8]\n\t"
                                                                            "ldr r9, [lr, #28]\n\t"
                                                                            "cmp r4, r9\n\t"
                                                                            "bne 1b\n\t"
                                                                            "pop {r0, r4-r11, pc}");
}

void dd_depthwise_quads(const dd_conv1d *layer, const uint32_t *words, const int8_t *at,
                        uint32_t count, int8_t *out)
{
    const uint32_t pairs = (layer->kernel + 1u) / 2u;
    quads_job job = {.at = at,
                     .down = (uint32_t)layer->dilation * layer->in_channels,
                     .words = words,
                     .hop = 4u * (pairs + (uint32_t)DD_DEPTHWISE_END_WORDS),
                     .pairs = layer->kernel / 2u,
                     .odd = layer->kernel % 2u,
                     .out = out,
                     .end = out + count,
                     .weight_bytes = 4u * pairs};
    if (count != 0) {
        all_quads(&job);
    }
}

#else

static int32_t sum_of(const dd_conv1d *layer, const uint32_t *words, const int8_t *at)
{
    const uint32_t down = (uint32_t)layer->dilation * layer->in_channels;
    int32_t sum = 0;
    for (uint32_t pair = layer->kernel / 2u; pair != 0; pair--) {
        sum = dd_add_products(dd_lanes(at[0], at[down]), *words++, sum);
        at += 2u * down;
    }
    return layer->kernel % 2u == 0 ? sum : sum + at[0] * dd_high(*words);
}

void dd_depthwise_quads(const dd_conv1d *layer, const uint32_t *words, const int8_t *at,
                        uint32_t count, int8_t *out)
{
    const uint32_t pairs = (layer->kernel + 1u) / 2u;
    for (uint32_t channel = 0; channel < count; channel++) {
        const dd_depthwise_end *const end = (const dd_depthwise_end *)(const void *)(words + pairs);
        const int32_t sum = sum_of(layer, words, at + channel) + end->bias;
        out[channel] = (int8_t)dd_depthwise_code(sum, end);
        words += pairs + DD_DEPTHWISE_END_WORDS;
    }
}

#endif

#endif
