/* For the vector extension: sixteen products, and their sum, with one instruction. Windows are
 * packed sixteen values at a time, one window behind the other, so that they are read in one go.
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
        const mve_pred16_t there = vctp8q(count - i);
        const int8_t *at = in + i;
        for (uint32_t step = 0; step < DD_TILE; step++) {
            vstrbq_s8(out, vldrbq_z_s8(at, there));
            at += hop;
            out += GROUP;
        }
    }
}

/* What dot_pairs works on; its assembly knows the fields by their offsets. */
typedef struct dot_job {
    const uint32_t *windows;
    uint32_t groups;       /* whole ones */
    uint32_t rest;         /* values of the last one, if it is not whole */
    const int8_t *weights; /* moves on */
    uint32_t row_bytes;
    int32_t *sums; /* moves on */
    int32_t left;  /* channels, counted down */
    uint32_t add;
} dot_job;

/* One group of values of a window, which is read here, against both channels. */
#define WINDOW(u, v)                \
    "vldrb.u8 q2, [r1], #16\n\t"    \
    "vmladava.s8 " u ", q2, q0\n\t" \
    "vmladava.s8 " v ", q2, q1\n\t"
#define WINDOWS WINDOW("r0", "r8") WINDOW("r2", "r10") WINDOW("r4", "r12") WINDOW("r6", "lr")

/* r1 windows, r3 and r5 two channels' weights, r7 groups; the job lies on the stack. */
__attribute__((naked)) static void dot_pairs(dot_job *job)
{
    (void)job;
    __asm volatile("push {r0, r4-r11, lr}\n"
                   "1:\n\t"
                   "ldr r9, [sp]\n\t"
                   "ldrd r1, r7, [r9]\n\t"
                   "ldrd r3, r11, [r9, #12]\n\t"
                   "ldr r5, [r9, #24]\n\t"
                   "cmp r5, #1\n\t"
                   "mov r5, r3\n\t"
                   "it ne\n\t"
                   "addne r5, r3, r11\n\t"
                   "ldr r11, [r9, #28]\n\t"
                   "ldr r9, [r9, #20]\n\t"
                   "cmp r11, #0\n\t"
                   "beq 2f\n\t"
                   "ldrd r0, r2, [r9]\n\t"
                   "ldrd r4, r6, [r9, #8]\n\t"
                   "ldrd r8, r10, [r9, #16]\n\t"
                   "ldrd r12, lr, [r9, #24]\n\t"
                   "b 3f\n"
                   "2:\n\t"
                   "mov r0, #0\n\t"
                   "mov r2, #0\n\t"
                   "mov r4, #0\n\t"
                   "mov r6, #0\n\t"
                   "mov r8, #0\n\t"
                   "mov r10, #0\n\t"
                   "mov r12, #0\n\t"
                   "mov lr, #0\n"
                   "3:\n\t"
                   "cmp r7, #0\n\t"
                   "beq 5f\n"
                   "4:\n\t"
                   "vldrb.u8 q0, [r3], #16\n\t"
                   "vldrb.u8 q1, [r5], #16\n\t" WINDOWS "subs r7, #1\n\t"
                   "bne 4b\n"
                   "5:\n\t"
                   "ldr r9, [sp]\n\t"
                   "ldr r7, [r9, #8]\n\t"
                   "cmp r7, #0\n\t"
                   "beq 6f\n\t"
                   "vctp.8 r7\n\t"
                   "vpstt\n\t"
                   "vldrbt.u8 q0, [r3]\n\t"
                   "vldrbt.u8 q1, [r5]\n\t" WINDOWS "6:\n\t"
                   "ldr r7, [r9, #20]\n\t"
                   "strd r0, r2, [r7], #8\n\t"
                   "strd r4, r6, [r7], #8\n\t"
                   "strd r8, r10, [r7], #8\n\t"
                   "strd r12, lr, [r7], #8\n\t"
                   "str r7, [r9, #20]\n\t"
                   "ldrd r3, r5, [r9, #12]\n\t"
                   "add r3, r3, r5, lsl #1\n\t"
                   "str r3, [r9, #12]\n\t"
                   "ldr r7, [r9, #24]\n\t"
                   "subs r7, #2\n\t"
                   "str r7, [r9, #24]\n\t"
                   "bgt 1b\n\t"
                   "pop {r0, r4-r11, pc}");
}

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    dot_job job = {
        .windows = windows,
        .groups = count / GROUP,
        .rest = count % GROUP,
        .weights = rows->weights,
        .row_bytes = rows->row_bytes,
        .sums = sums,
        .left = (int32_t)rows->channels,
        .add = add,
    };
    dot_pairs(&job);
}

#else

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    int8_t *out = (int8_t *)windows;
    for (uint32_t i = 0; i < count; i += GROUP) {
        const uint32_t there = count - i < GROUP ? count - i : GROUP;
        for (uint32_t step = 0; step < DD_TILE; step++) {
            memcpy(out, in + step * hop + i, there);
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
    const int8_t *weights = rows->weights;
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
