/* For cores without long multiplications: each value of a window has a word of its own. Windows and
 * weights go four values at a time; what is missing of the last four is zero in both.
 *
 * An Armv6-M instruction works on eight of the registers only, but addition knows them all: four
 * sums in the upper ones leave the lower for four values, a weight and two pointers. A compiler
 * keeps the sums below and loads everything else again and again: hence the assembly, 47
 * instructions for 16 products. */
#include "dd_dot.h"

#if DD_KERNELS == DD_KERNELS_PLAIN

#include <string.h>

#define GROUP 4u

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    const uint32_t missing = (0u - count) % GROUP;
    for (uint32_t step = 0; step < DD_TILE; step++) {
        uint32_t *out = windows + step;
        for (uint32_t i = 0; i < count; i++) {
            *out = (uint32_t)(int32_t)in[i];
            out += DD_TILE;
        }
        for (uint32_t i = 0; i < missing; i++) {
            *out = 0;
            out += DD_TILE;
        }
        in += hop;
    }
}

/* What dot_channels works on; its assembly knows the fields by their order. */
typedef struct dot_job {
    const int32_t *windows;
    const int32_t *end;
    const int8_t *weights;
    uint32_t gap;         /* from what was read of a row to the next */
    int32_t *sums;        /* moves on */
    const int32_t *after; /* the last one */
    const int32_t *from;  /* what the sums begin with; moves on by from_bytes a channel */
    uint32_t from_bytes;
} dot_job;

#if defined(__thumb__)

/* Weight `at` of the four, and one value of all windows. */
#define VALUE(at)                \
    "ldm r0!, {r2-r5}\n\t"       \
    "ldrb r6, [r1, #" at "]\n\t" \
    "sxtb r6, r6\n\t"            \
    "muls r2, r6, r2\n\t"        \
    "add r8, r2\n\t"             \
    "muls r3, r6, r3\n\t"        \
    "add r9, r3\n\t"             \
    "muls r4, r6, r4\n\t"        \
    "add r10, r4\n\t"            \
    "muls r5, r6, r5\n\t"        \
    "add r11, r5\n\t"

/* r0 windows, r1 weights, r7 the job between channels, r12 the windows' end, lr the job. A naked
 * function may hold nothing but assembly. */
__attribute__((naked)) static void dot_channels(__attribute__((unused)) dot_job *job)
{
    __asm volatile(".syntax unified\n\t"
                   "push {r4-r7, lr}\n\t"
                   "mov r4, r8\n\t"
                   "mov r5, r9\n\t"
                   "mov r6, r10\n\t"
                   "mov r7, r11\n\t"
                   "push {r4-r7}\n\t"
                   "mov lr, r0\n\t"
                   "ldr r1, [r0, #4]\n\t"
                   "mov r12, r1\n\t"
                   "ldr r1, [r0, #8]\n"
                   "1:\n\t"
                   "mov r7, lr\n\t"
                   "ldr r0, [r7, #24]\n\t"
                   "ldm r0!, {r2-r5}\n\t"
                   "mov r8, r2\n\t"
                   "mov r9, r3\n\t"
                   "mov r10, r4\n\t"
                   "mov r11, r5\n\t"
                   "ldr r0, [r7, #0]\n"
                   "2:\n\t" VALUE("0") VALUE("1") VALUE("2") VALUE("3") "adds r1, #4\n\t"
                                                                        "cmp r0, r12\n\t"
                                                                        "bne 2b\n\t"
                                                                        "ldr r2, [r7, #24]\n\t"
                                                                        "ldr r3, [r7, #28]\n\t"
                                                                        "adds r2, r3\n\t"
                                                                        "str r2, [r7, #24]\n\t"
                                                                        "ldr r2, [r7, #12]\n\t"
                                                                        "adds r1, r2\n\t"
                                                                        "ldr r6, [r7, #16]\n\t"
                                                                        "mov r2, r8\n\t"
                                                                        "mov r3, r9\n\t"
                                                                        "mov r4, r10\n\t"
                                                                        "mov r5, r11\n\t"
                                                                        "stm r6!, {r2-r5}\n\t"
                                                                        "str r6, [r7, #16]\n\t"
                                                                        "ldr r2, [r7, #20]\n\t"
                                                                        "cmp r6, r2\n\t"
                                                                        "bne 1b\n\t"
                                                                        "pop {r4-r7}\n\t"
                                                                        "mov r8, r4\n\t"
                                                                        "mov r9, r5\n\t"
                                                                        "mov r10, r6\n\t"
                                                                        "mov r11, r7\n\t"
                                                                        "pop {r4-r7, pc}");
}

#else

static void dot_channels(dot_job *job)
{
    const int8_t *weights = job->weights;
    for (; job->sums != job->after; job->sums += DD_TILE) {
        memmove(job->sums, job->from, DD_TILE * sizeof *job->sums);
        for (const int32_t *at = job->windows; at != job->end; at += DD_TILE) {
            for (uint32_t step = 0; step < DD_TILE; step++) {
                job->sums[step] += at[step] * *weights;
            }
            weights++;
        }
        weights += job->gap;
        job->from += job->from_bytes / sizeof *job->from;
    }
}

#endif

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    static const int32_t zeros[DD_TILE] = {0};
    const uint32_t values = (count + GROUP - 1u) / GROUP * GROUP;
    dot_job job = {
        .windows = (const int32_t *)windows,
        .end = (const int32_t *)windows + DD_TILE * values,
        .weights = rows->weights + rows->from * DD_VALUE_BYTES,
        .gap = rows->row_bytes - values,
        .sums = sums,
        .after = sums + DD_TILE * rows->channels,
        .from = add ? sums : zeros,
        .from_bytes = add ? DD_TILE * (uint32_t)sizeof *sums : 0,
    };
    dot_channels(&job);
}

#endif
