/* For the vector extension: sixteen products, and their sum, with one instruction. Windows are
 * packed sixteen values at a time, one window behind the other, so that they are read in one go;
 * what is missing of the last sixteen is zero, in the weights as well.
 *
 * The instruction sums into an even register only. Two channels and four windows take all eight of
 * them, which leaves the odd ones for pointers and a counter: hence the assembly, 16 instructions
 * for 128 products. */
#include "dd_dot.h"

#if DD_KERNELS == DD_KERNELS_HELIUM

#include <string.h>

#define GROUP 16u

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    int8_t *out = (int8_t *)windows;
    for (uint32_t i = 0; i < count; i += GROUP) {
        const mve_pred16_t active = vctp8q(count - i);
        const int8_t *at = in + i;
        for (uint32_t step = 0; step < DD_TILE; step++) {
            vstrbq_s8(out, vldrbq_z_s8(at, active));
            at += hop;
            out += GROUP;
        }
    }
}

/* What dot_pairs works on; its assembly knows the fields by their order. */
typedef struct dot_job {
    const uint32_t *windows;
    uint32_t groups;
    uint32_t row_bytes; /* from a pair's first channel to its second: 0 works one out twice */
    uint32_t gap;       /* from what was read of a pair's second row to the next pair */
    const int8_t *weights;
    int32_t *sums;
    uint32_t pairs;
} dot_job;

/* One group of values of a window, which is read here, against both channels. */
#define WINDOW(u, v)                \
    "vldrb.u8 q2, [r1], #16\n\t"    \
    "vmladava.s8 " u ", q2, q0\n\t" \
    "vmladava.s8 " v ", q2, q1\n\t"
#define WINDOWS WINDOW("r0", "r8") WINDOW("r2", "r10") WINDOW("r4", "r12") WINDOW("r6", "lr")

/* Add the products of each pair of channels to its sums. r1 windows, r3 and r5 the two channels'
 * weights, r7 groups, r9 sums, r11 pairs; the job's first four fields lie on the stack. A naked
 * function may hold nothing but assembly. */
__attribute__((naked)) static void dot_pairs(__attribute__((unused)) const dot_job *job)
{
    __asm volatile("push {r4-r11, lr}\n\t"
                   "ldm r0, {r4-r7}\n\t"
                   "push {r4-r7}\n\t"
                   "ldrd r3, r9, [r0, #16]\n\t"
                   "ldr r11, [r0, #24]\n"
                   "1:\n\t"
                   "ldrd r1, r7, [sp]\n\t"
                   "ldr r5, [sp, #8]\n\t"
                   "add r5, r3\n\t"
                   "ldrd r0, r2, [r9]\n\t"
                   "ldrd r4, r6, [r9, #8]\n\t"
                   "ldrd r8, r10, [r9, #16]\n\t"
                   "ldrd r12, lr, [r9, #24]\n"
                   "2:\n\t"
                   "vldrb.u8 q0, [r3], #16\n\t"
                   "vldrb.u8 q1, [r5], #16\n\t" WINDOWS "subs r7, #1\n\t"
                   "bne 2b\n\t"
                   "strd r0, r2, [r9], #8\n\t"
                   "strd r4, r6, [r9], #8\n\t"
                   "strd r8, r10, [r9], #8\n\t"
                   "strd r12, lr, [r9], #8\n\t"
                   "ldr r7, [sp, #12]\n\t"
                   "add r3, r5, r7\n\t"
                   "subs r11, #1\n\t"
                   "bne 1b\n\t"
                   "add sp, #16\n\t"
                   "pop {r4-r11, pc}");
}

static void clear_pairs(int32_t *sums, uint32_t pairs)
{
    const int32x4_t zero = vdupq_n_s32(0);
    for (; pairs != 0; pairs--) {
        vstrwq_s32(sums, zero);
        vstrwq_s32(sums + DD_TILE, zero);
        sums += 2u * DD_TILE;
    }
}

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    const uint32_t groups = (count + GROUP - 1u) / GROUP;
    const int8_t *const weights = rows->weights + rows->from * DD_VALUE_BYTES;
    dot_job job = {
        .windows = windows,
        .groups = groups,
        .row_bytes = rows->row_bytes,
        .gap = rows->row_bytes - groups * GROUP,
        .weights = weights,
        .sums = sums,
        .pairs = rows->channels / 2u,
    };
    if (!add) {
        clear_pairs(sums, (rows->channels + 1u) / 2u);
    }
    if (job.pairs != 0) {
        dot_pairs(&job);
    }
    if (rows->channels % 2u != 0) {
        const uint32_t last = rows->channels - 1u;
        job.weights = weights + last * rows->row_bytes;
        job.sums = sums + last * DD_TILE;
        job.row_bytes = 0;
        job.pairs = 1;
        dot_pairs(&job);
    }
}

#else

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    int8_t *out = (int8_t *)windows;
    for (uint32_t i = 0; i < count; i += GROUP) {
        const uint32_t part = count - i < GROUP ? count - i : GROUP;
        for (uint32_t step = 0; step < DD_TILE; step++) {
            memset(out, 0, GROUP);
            memcpy(out, in + step * hop + i, part);
            out += GROUP;
        }
    }
}

static void dot_channel(const int8_t *windows, uint32_t count, const int8_t *weights, int32_t *sums)
{
    for (uint32_t i = 0; i < count; i++) {
        const int8_t *const at = windows + i / GROUP * GROUP * DD_TILE + i % GROUP;
        for (uint32_t step = 0; step < DD_TILE; step++) {
            sums[step] += at[step * GROUP] * weights[i];
        }
    }
}

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    const int8_t *weights = rows->weights + rows->from * DD_VALUE_BYTES;
    for (uint32_t channel = 0; channel < rows->channels; channel++) {
        if (!add) {
            memset(sums, 0, DD_TILE * sizeof *sums);
        }
        dot_channel((const int8_t *)windows, count, weights, sums);
        weights += rows->row_bytes;
        sums += DD_TILE;
    }
}

#endif

#endif
