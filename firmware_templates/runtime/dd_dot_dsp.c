/* For the DSP extension: two int16 values share a word, and one instruction multiplies and adds
 * both. The weights stay int8 in flash; a word of them, u0 v0 u1 v1 of two channels u and v, widens
 * to both channels' pairs of int16 with one instruction each.
 *
 * Six sums, two channels' weights, three windows, two pointers and the end are all the registers
 * that there are. The compiler spills some of them, hence the assembly; it counts 40 instructions
 * for 48 products. */
#include "dd_dot.h"

#if DD_KERNELS == DD_KERNELS_DSP

#include <string.h>

#define UNROLL 8u /* pairs of values */

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define DD_ASSEMBLY 1
#else
#define DD_ASSEMBLY 0
#endif

static uint32_t pair_of(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

#if DD_ASSEMBLY
/* Whether a word may be loaded from there: from anywhere, unless the compiler was told that what is
 * not aligned traps. */
static bool is_word(const int8_t *at)
{
#if defined(__ARM_FEATURE_UNALIGNED)
    (void)at;
    return true;
#else
    return ((uintptr_t)at & 3u) == 0;
#endif
}

/* Four values at *in, which moves on, to two pairs of this window, which lie a tile apart. */
#define PACK_FOUR(low, high)                      \
    "ldr %[even], [%[in]], #4\n\t"                \
    "sxtb16 %[odd], %[even], ror #8\n\t"          \
    "sxtb16 %[even], %[even]\n\t"                 \
    "pkhbt %[pair], %[even], %[odd], lsl #16\n\t" \
    "str %[pair], [%[out], #" low "]\n\t"         \
    "pkhtb %[pair], %[odd], %[even], asr #16\n\t" \
    "str %[pair], [%[out], #" high "]\n\t"

static const int8_t *pack_eights(const int8_t *in, uint32_t eights, uint32_t *out)
{
    const int8_t *const end = in + 8u * eights;
    uint32_t even;
    uint32_t odd;
    uint32_t pair;
    while (in != end) {
        __asm volatile(PACK_FOUR("0", "12") PACK_FOUR("24", "36")
                       : [in] "+r"(in), [even] "=&r"(even), [odd] "=&r"(odd), [pair] "=&r"(pair)
                       : [out] "r"(out)
                       : "memory");
        out += 4 * DD_TILE;
    }
    return in;
}
#endif

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    for (uint32_t step = 0; step < DD_TILE; step++) {
        uint32_t *out = windows + step;
        const int8_t *at = in + step * hop;
        uint32_t left = count;
#if DD_ASSEMBLY
        if (is_word(at)) {
            at = pack_eights(at, count / 8u, out);
            out += count / 8u * 4u * DD_TILE;
            left = count % 8u;
        }
#endif
        for (; left >= 2; left -= 2) {
            *out = pair_of(at[0], at[1]);
            at += 2;
            out += DD_TILE;
        }
        if (left != 0) {
            *out = pair_of(at[0], 0);
        }
    }
}

/* What dot_pairs works on; its assembly knows the fields by their offsets. */
typedef struct dot_job {
    const uint32_t *windows;
    const uint32_t *end_of_whole; /* of the windows that come in whole groups of pairs of values */
    const uint32_t *end;
    int32_t *sums; /* moves on */
    uint32_t skip; /* bytes from the end of a part of a row to the beginning of the next row's */
    uint32_t left; /* pairs of channels, counted down */
    uint32_t add;
} dot_job;

#if DD_ASSEMBLY

/* u0 v0 u1 v1 against a pair of values of three windows. */
#define STEP                     \
    "ldr r6, [r4], #4\n\t"       \
    "ldm r3!, {r0, r1, r2}\n\t"  \
    "sxtb16 r7, r6, ror #8\n\t"  \
    "sxtb16 r6, r6\n\t"          \
    "smlad r8, r0, r6, r8\n\t"   \
    "smlad r9, r1, r6, r9\n\t"   \
    "smlad r10, r2, r6, r10\n\t" \
    "smlad r11, r0, r7, r11\n\t" \
    "smlad r12, r1, r7, r12\n\t" \
    "smlad lr, r2, r7, lr\n\t"

/* r3 windows, r4 weights, r5 their end, r6 u, r7 v, r8 to lr the sums; the job lies on the stack.
 * A naked function may hold nothing but assembly. */
__attribute__((naked)) static void dot_pairs(__attribute__((unused)) dot_job *job,
                                             __attribute__((unused)) const int8_t *weights)
{
    __asm volatile("push {r0, r4-r11, lr}\n\t"
                   "mov r4, r1\n"
                   "1:\n\t"
                   "ldr r0, [sp]\n\t"
                   "ldrd r3, r5, [r0]\n\t"
                   "ldr r1, [r0, #24]\n\t"
                   "ldr r2, [r0, #12]\n\t"
                   "cbz r1, 2f\n\t"
                   "ldm r2, {r8-r12, lr}\n\t"
                   "b 3f\n"
                   "2:\n\t"
                   "mov r8, #0\n\t"
                   "mov r9, #0\n\t"
                   "mov r10, #0\n\t"
                   "mov r11, #0\n\t"
                   "mov r12, #0\n\t"
                   "mov lr, #0\n"
                   "3:\n\t"
                   "cmp r3, r5\n\t"
                   "beq 5f\n"
                   "4:\n\t" STEP STEP STEP STEP STEP STEP STEP STEP "cmp r3, r5\n\t"
                   "bne 4b\n"
                   "5:\n\t"
                   "ldr r0, [sp]\n\t"
                   "ldr r5, [r0, #8]\n\t"
                   "cmp r3, r5\n\t"
                   "beq 7f\n"
                   "6:\n\t" STEP "cmp r3, r5\n\t"
                   "bne 6b\n\t"
                   "ldr r0, [sp]\n"
                   "7:\n\t"
                   "ldr r1, [r0, #12]\n\t"
                   "stm r1!, {r8-r12, lr}\n\t"
                   "str r1, [r0, #12]\n\t"
                   "ldrd r1, r2, [r0, #16]\n\t"
                   "add r4, r1\n\t"
                   "subs r2, #1\n\t"
                   "str r2, [r0, #20]\n\t"
                   "bne 1b\n\t"
                   "pop {r0, r4-r11, pc}");
}

#else

static int32_t low_half(uint32_t pair)
{
    return (int16_t)(pair & 0xFFFFu);
}

static int32_t high_half(uint32_t pair)
{
    return (int16_t)(pair >> 16);
}

static void dot_pairs(dot_job *job, const int8_t *weights)
{
    for (; job->left != 0; job->left--) {
        memset(job->sums, 0, job->add ? 0 : 2 * DD_TILE * sizeof *job->sums);
        for (const uint32_t *at = job->windows; at != job->end; at += DD_TILE) {
            for (uint32_t step = 0; step < DD_TILE; step++) {
                const int32_t low = low_half(at[step]);
                const int32_t high = high_half(at[step]);
                job->sums[step] += low * weights[0] + high * weights[2];
                job->sums[DD_TILE + step] += low * weights[1] + high * weights[3];
            }
            weights += 4;
        }
        weights += job->skip;
        job->sums += 2 * DD_TILE;
    }
}

#endif

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    const uint32_t pairs = (count + 1u) / 2u;
    dot_job job = {
        .windows = windows,
        .end_of_whole = windows + pairs / UNROLL * UNROLL * DD_TILE,
        .end = windows + pairs * DD_TILE,
        .sums = sums,
        .skip = 2u * rows->row_bytes - 4u * pairs,
        .left = (rows->channels + 1u) / 2u,
        .add = add,
    };
    dot_pairs(&job, rows->weights);
}

#endif
