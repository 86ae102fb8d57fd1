/* For the DSP extension: two int16 values share a word, and one instruction multiplies and adds
 * both. The weights stay int8 in flash. A word of them, u0 v0 u1 v1 of two channels u and v, is two
 * int16 numbers as well: with 128 added to u, each is 256 v + (u + 128). One instruction takes the
 * lower bytes out, one multiplies these and one the whole numbers; widening both channels would be
 * one more. Every sum begins with -128 times the sum of its window's values: u's ends right then,
 * and out of v's, (whole - lower) / 256, that goes again.
 *
 * Eight sums of four channels and two windows, two words of weights, two of values and two pointers
 * are all the registers that there are, and the compiler spills some: hence the assembly. Its loads
 * stand together, because each costs a cycle less behind another one. */
#include "dd_dot.h"

#if DD_KERNELS == DD_KERNELS_DSP

#include <assert.h>

#include "dd_inline.h"
#include "dd_simd.h"

#define ROUND 8u /* pairs of values */

static_assert(128ull * 32896ull * DD_PART < (1ull << 31), "the sums of whole numbers must fit");
static_assert(DD_PART % 4u == 0 && DD_BLOCK % 4u == 0, "a part ends with a four, as a block does");

#define ONES 0x00010001u

/* Values 0 and 2, then 1 and 3: their words lie a tile apart. Returns `sum` and all of them. */
static inline int32_t pack_four(uint32_t four, uint32_t *out, int32_t sum)
{
    const uint32_t even = dd_even_bytes(four);
    const uint32_t odd = dd_odd_bytes(four);
    out[0] = even;
    out[DD_TILE] = odd;
    return dd_add_products(odd, ONES, dd_add_products(even, ONES, sum));
}

/* One to three values, and zeros. */
DD_NEVER_INLINE static int32_t pack_few(const int8_t *in, uint32_t count, uint32_t *out,
                                        int32_t sum)
{
    uint32_t four = 0;
    do {
        count--;
        four = four << 8 | (uint8_t)in[count];
    } while (count != 0);
    return pack_four(four, out, sum);
}

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    const int8_t *next = in + hop;
    uint32_t *out = windows + DD_TILE;
    int32_t sums[DD_TILE] = {0};
    for (; count >= 4; count -= 4) {
        const uint32_t four = dd_four(in);
        const uint32_t of_next = dd_four(next);
        sums[0] = pack_four(four, out, sums[0]);
        sums[1] = pack_four(of_next, out + 1, sums[1]);
        in += 4;
        next += 4;
        out += 2 * DD_TILE;
    }
    if (count != 0) {
        sums[0] = pack_few(in, count, out, sums[0]);
        sums[1] = pack_few(next, count, out + 1, sums[1]);
    }
    windows[0] = (uint32_t)(-128 * sums[0]);
    windows[1] = (uint32_t)(-128 * sums[1]);
}

/* What is multiplied by rows of weights. */
typedef struct packed {
    const uint32_t *windows;
    uint32_t pairs; /* of values */
    bool add;
} packed;

/* Two channels against two windows; from one word of their weights to the next are `hop` bytes. */
DD_NEVER_INLINE static void dot_pair(const packed *of, const int8_t *weights, uint32_t hop,
                                     int32_t *sums)
{
    const uint32_t *at = of->windows;
    int32_t lower0 = (int32_t)at[0];
    int32_t lower1 = (int32_t)at[1];
    int32_t whole0 = lower0;
    int32_t whole1 = lower1;
    for (uint32_t left = of->pairs; left != 0; left--) {
        const uint32_t whole = dd_four(weights);
        const uint32_t lower = dd_lower_bytes(whole);
        at += DD_TILE;
        whole0 = dd_add_products(at[0], whole, whole0);
        whole1 = dd_add_products(at[1], whole, whole1);
        lower0 = dd_add_products(at[0], lower, lower0);
        lower1 = dd_add_products(at[1], lower, lower1);
        weights += hop;
    }
    const int32_t products[] = {lower0, lower1, (whole0 - lower0) >> 8, (whole1 - lower1) >> 8};
    for (uint32_t i = 0; i < 2 * DD_TILE; i++) {
        sums[i] = products[i] + (of->add ? sums[i] : 0);
    }
}

#if DD_SIMD_ASSEMBLY

/* What dot_fours works on; its assembly lays it on the stack, and knows the fields by their
 * offsets there. */
typedef struct dot_job {
    uint32_t begin[DD_TILE]; /* what the sums begin with */
    int32_t *sums;           /* moves on */
    uintptr_t windows;       /* where the first round would begin if it were whole, less a word */
    uintptr_t end;
    uint32_t left_out; /* bytes of the first round's code */
    uint32_t skip; /* bytes from the end of a part of a row to the beginning of the next row's */
    uint32_t left; /* fours of channels, counted down */
    uint32_t add;
} dot_job;

/* r4 windows, r5 weights, r6 and r7 the sums of u, r8 and r9 its whole numbers', r10 to lr the same
 * of the other two channels. */
#define MULTIPLY                 \
    "smlad r8, r2, r0, r8\n\t"   \
    "smlad r9, r3, r0, r9\n\t"   \
    "smlad r12, r2, r1, r12\n\t" \
    "smlad lr, r3, r1, lr\n\t"   \
    "uxtb16 r0, r0\n\t"          \
    "uxtb16 r1, r1\n\t"          \
    "smlad r6, r2, r0, r6\n\t"   \
    "smlad r7, r3, r0, r7\n\t"   \
    "smlad r10, r2, r1, r10\n\t" \
    "smlad r11, r3, r1, r11\n\t"
#define STEP_BYTES 48u /* of each; a short one has two instructions less and takes a cycle more */
#define STEP(at, behind)              \
    "ldr.n r0, [r5, #" at "]\n\t"     \
    "ldr.n r1, [r5, #" behind "]\n\t" \
    "ldr.n r2, [r4, #" at "]\n\t"     \
    "ldr.n r3, [r4, #" behind "]\n\t" MULTIPLY
#define SHORT_STEP(at)               \
    "ldrd r0, r1, [r5, #" at "]\n\t" \
    "ldrd r2, r3, [r4, #" at "]\n\t" MULTIPLY
#define LAST_STEP              \
    "ldr.w r0, [r5, #64]!\n\t" \
    "ldr.n r1, [r5, #4]\n\t"   \
    "ldr.w r2, [r4, #64]!\n\t" \
    "ldr.n r3, [r4, #4]\n\t" MULTIPLY

/* A naked function may hold nothing but assembly. */
__attribute__((naked)) static void dot_fours(__attribute__((unused)) const dot_job *job,
                                             __attribute__((unused)) uintptr_t weights)
{
    __asm volatile("push {r4-r11, lr}\n\t"
                   "mov r5, r1\n\t"
                   "ldm r0, {r0-r4, r6-r9}\n\t"
                   "push {r0-r4, r6-r9}\n"
                   "1:\n\t"
                   "ldrd r6, r7, [sp]\n\t"
                   "ldr r4, [sp, #12]\n\t"
                   "ldr r0, [sp, #20]\n\t"
                   "mov r8, r6\n\t"
                   "mov r9, r7\n\t"
                   "mov r10, r6\n\t"
                   "mov r11, r7\n\t"
                   "mov r12, r6\n\t"
                   "mov lr, r7\n\t"
                   "add pc, r0\n\t"
                   "nop\n"
                   "2:\n\t" SHORT_STEP("8") STEP("16", "20") STEP("24", "28") STEP("32", "36")
                       SHORT_STEP("40") STEP("48", "52") STEP("56", "60") LAST_STEP
                   "ldr r0, [sp, #16]\n\t"
                   "cmp r4, r0\n\t"
                   "bne 2b\n\t"
                   "sub r8, r8, r6\n\t"
                   "sub r9, r9, r7\n\t"
                   "sub r12, r12, r10\n\t"
                   "sub lr, lr, r11\n\t"
                   "asr r8, r8, #8\n\t"
                   "asr r9, r9, #8\n\t"
                   "asr r12, r12, #8\n\t"
                   "asr lr, lr, #8\n\t"
                   "ldr r0, [sp, #8]\n\t"
                   "ldr r1, [sp, #24]\n\t"
                   "ldr r2, [sp, #28]\n\t"
                   "ldr r3, [sp, #32]\n\t"
                   "cbnz r3, 4f\n"
                   "3:\n\t"
                   "stm r0!, {r6-r12, lr}\n\t"
                   "str r0, [sp, #8]\n\t"
                   "add r5, r1\n\t"
                   "subs r2, #1\n\t"
                   "str r2, [sp, #28]\n\t"
                   "bne 1b\n\t"
                   "add sp, #36\n\t"
                   "pop {r4-r11, pc}\n"
                   "4:\n\t"
                   "ldm r0!, {r1-r4}\n\t"
                   "add r6, r1\n\t"
                   "add r7, r2\n\t"
                   "add r8, r3\n\t"
                   "add r9, r4\n\t"
                   "ldm r0, {r1-r4}\n\t"
                   "add r10, r1\n\t"
                   "add r11, r2\n\t"
                   "add r12, r3\n\t"
                   "add lr, r4\n\t"
                   "subs r0, #16\n\t"
                   "ldrd r1, r2, [sp, #24]\n\t"
                   "b 3b");
}

/* Four channels after four; a first round that is not whole begins within the code. */
static void dot_all(const packed *of, const dd_rows *rows, uint32_t fours, int32_t *sums)
{
    const uint32_t missing = (ROUND - of->pairs % ROUND) % ROUND;
    const uint32_t pair = DD_TILE * (uint32_t)sizeof *of->windows; /* in bytes, of weights too */
    dot_job job = {
        .begin = {of->windows[0], of->windows[1]},
        .sums = sums,
        .windows = (uintptr_t)of->windows - missing * pair,
        .end = (uintptr_t)of->windows + of->pairs * pair,
        .left_out = missing * STEP_BYTES,
        .skip = 4u * rows->row_bytes - (of->pairs + missing) * pair,
        .left = fours,
        .add = of->add,
    };
    dot_fours(&job, (uintptr_t)(rows->weights + 4u * rows->from) - (missing + 1u) * pair);
}

#else

static void dot_all(const packed *of, const dd_rows *rows, uint32_t fours, int32_t *sums)
{
    const int8_t *weights = rows->weights + 4u * rows->from;
    for (; fours != 0; fours--) {
        dot_pair(of, weights, 8, sums);
        dot_pair(of, weights + 4, 8, sums + 2 * DD_TILE);
        weights += 4u * rows->row_bytes;
        sums += 4 * DD_TILE;
    }
}

#endif

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    const packed of = {windows, (count + 3u) / 4u * 2u, add};
    const uint32_t fours = (rows->channels + 1u) / 4u;
    if (fours != 0) {
        dot_all(&of, rows, fours, sums);
    }
    if (rows->channels > 4u * fours) {
        const int8_t *const last = rows->weights + 4u * fours * rows->row_bytes;
        dot_pair(&of, last + 2u * rows->from, 4, sums + 4u * fours * DD_TILE);
    }
}

#endif
