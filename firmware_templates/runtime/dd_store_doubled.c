/* Of a doubled sum, one multiplication rounds as two do: its upper half is the rounded product.
 * What the zero point adds, and what rounds the shift to the right, is shifted to the left
 * beforehand and added by the same instruction. So that ties of negative values leave zero, too,
 * these get one less; a product has its sum's sign, or is zero, where that one changes nothing. */
#include "dd_store_tile.h"

#include <assert.h>
#include <stddef.h>

#include "dd_requant.h"
#include "dd_simd.h"

#if DD_KERNELS == DD_KERNELS_PLAIN && defined(__thumb__)

/* What store_channels works on; its assembly knows the fields by their offsets. */
typedef struct store_job {
    const int32_t *sums;
    const int8_t *table;
    int32_t offset; /* of the code, halved last */
    uint32_t hop;   /* from a step's output to the next one's */
    int8_t *out;    /* this and those behind it move on by a channel */
    const int8_t *shift;
    const int32_t *multiplier;
    const int32_t *bias;
    const int8_t *end; /* of the shifts */
} store_job;

/* Four products of 16-bit halves make one; its lowest 16 bits are not needed, and the last bit that
 * is shifted out rounds. r0 to r2 and r7 halves and products, r3 and r4 the multiplier's lower and
 * upper half, r5 shift, r6 sums; r8 bias, r9 table, r10 offset, r11 hop, r12 output, lr the
 * channel's last sum. A naked function may hold nothing but assembly. */
__attribute__((naked)) static void store_channels(__attribute__((unused)) store_job *job)
{
    __asm volatile(".syntax unified\n\t"
                   "push {r4-r7, lr}\n\t"
                   "mov r4, r8\n\t"
                   "mov r5, r9\n\t"
                   "mov r6, r10\n\t"
                   "mov r7, r11\n\t"
                   "push {r0, r4-r7}\n\t"
                   "ldm r0!, {r3-r6}\n\t"
                   "mov r9, r4\n\t"
                   "mov r10, r5\n\t"
                   "mov r11, r6\n\t"
                   "mov r6, r3\n"
                   "1:\n\t"
                   "ldr r0, [sp]\n\t"
                   "adds r0, #16\n\t"
                   "ldm r0!, {r1, r2, r4, r7}\n\t"
                   "mov r12, r1\n\t"
                   "movs r5, #0\n\t"
                   "ldrsb r5, [r2, r5]\n\t"
                   "mvns r5, r5\n\t"
                   "ldm r7!, {r3}\n\t"
                   "mov r8, r3\n\t"
                   "ldm r4!, {r3}\n\t"
                   "adds r1, #1\n\t"
                   "adds r2, #1\n\t"
                   "subs r0, #16\n\t"
                   "stm r0!, {r1, r2, r4, r7}\n\t"
                   "lsrs r4, r3, #16\n\t"
                   "uxth r3, r3\n\t"
                   "movs r0, #16\n\t"
                   "adds r0, r0, r6\n\t"
                   "mov lr, r0\n"
                   "2:\n\t"
                   "ldm r6!, {r0}\n\t"
                   "add r0, r8\n\t"
                   "adds r0, r0, r0\n\t"
                   "uxth r2, r0\n\t"
                   "asrs r0, r0, #16\n\t"
                   "mov r1, r2\n\t"
                   "muls r1, r3, r1\n\t"
                   "lsrs r1, r1, #16\n\t"
                   "mov r7, r0\n\t"
                   "muls r7, r3, r7\n\t"
                   "adds r1, r1, r7\n\t"
                   "muls r2, r4, r2\n\t"
                   "muls r0, r4, r0\n\t"
                   "uxth r7, r1\n\t"
                   "adds r2, r2, r7\n\t"
                   "asrs r1, r1, #16\n\t"
                   "adds r0, r0, r1\n\t"
                   "lsrs r2, r2, #16\n\t"
                   "adcs r0, r2\n\t"
                   "asrs r1, r0, #31\n\t"
                   "adds r0, r0, r1\n\t"
                   "asrs r0, r5\n\t"
                   "add r0, r10\n\t"
                   "asrs r0, r0, #1\n\t"
                   "cmp r0, #255\n\t"
                   "bhi 4f\n"
                   "3:\n\t"
                   "add r0, r9\n\t"
                   "ldrb r0, [r0]\n\t"
                   "mov r1, r12\n\t"
                   "strb r0, [r1]\n\t"
                   "add r12, r11\n\t"
                   "cmp r6, lr\n\t"
                   "bne 2b\n\t"
                   "ldr r0, [sp]\n\t"
                   "ldr r1, [r0, #20]\n\t"
                   "ldr r2, [r0, #32]\n\t"
                   "cmp r1, r2\n\t"
                   "bne 1b\n\t"
                   "pop {r0, r4-r7}\n\t"
                   "mov r8, r4\n\t"
                   "mov r9, r5\n\t"
                   "mov r10, r6\n\t"
                   "mov r11, r7\n\t"
                   "pop {r4-r7, pc}\n"
                   "4:\n\t" /* below 0 or above 255 */
                   "asrs r0, r0, #31\n\t"
                   "mvns r0, r0\n\t"
                   "uxtb r0, r0\n\t"
                   "b 3b");
}

void dd_store_doubled(const dd_conv1d *layer, const int8_t *table, const int32_t *sums,
                      const dd_tile_part *part)
{
    store_job job = {
        .sums = sums,
        .table = table,
        .offset = dd_index_offset(layer->out_zero_point),
        .hop = layer->out_channels,
        .out = part->out + part->first,
        .shift = layer->shift + part->first,
        .multiplier = layer->multiplier + part->first,
        .bias = layer->bias + part->first,
        .end = layer->shift + part->first + part->count,
    };
    store_channels(&job);
}

#elif DD_SIMD_ASSEMBLY && DD_TILE == 2

static_assert(offsetof(dd_conv1d, out_channels) == 2 && offsetof(dd_conv1d, out_zero_point) == 17 &&
                  offsetof(dd_conv1d, bias) == 28 && offsetof(dd_conv1d, multiplier) == 32 &&
                  offsetof(dd_conv1d, shift) == 36 && sizeof(dd_tile_part) == 16,
              "the assembly knows the fields by their offsets");

/* r0 sums, r1 table, r2 and r3 outputs, r4 shift, r5 multiplier, r6 bias, r7 offset of the code,
 * which is halved last. The end of the shifts is on the stack: to load it behind other loads takes
 * as little as to keep it. A naked function may hold nothing but assembly. */
__attribute__((naked)) void dd_store_doubled(__attribute__((unused)) const dd_conv1d *layer,
                                             __attribute__((unused)) const int8_t *table,
                                             __attribute__((unused)) const int32_t *sums,
                                             __attribute__((unused)) const dd_tile_part *part)
{
    __asm volatile("push {r4-r11, lr}\n\t"
                   "ldm r3, {r8-r11}\n\t"
                   "ldrsb r7, [r0, #17]\n\t"
                   "ldrh r3, [r0, #2]\n\t"
                   "ldr r6, [r0, #28]\n\t"
                   "ldr r5, [r0, #32]\n\t"
                   "ldr r4, [r0, #36]\n\t"
                   "mov r0, r2\n\t"
                   "add r2, r11, r8\n\t"
                   "add r3, r2\n\t"
                   "lsl r7, r7, #1\n\t"
                   "addw r7, r7, #257\n\t"
                   "add r6, r6, r8, lsl #2\n\t"
                   "add r5, r5, r8, lsl #2\n\t"
                   "add r4, r8\n\t"
                   "add r9, r4\n\t"
                   "push {r9}\n"
                   "1:\n\t"
                   "ldrsb r8, [r4], #1\n\t"
                   "ldr r9, [r5], #4\n\t"
                   "ldr r10, [r6], #4\n\t"
                   "ldr r12, [r0, #4]\n\t"
                   "ldr r11, [r0], #8\n\t"
                   "ldr lr, [sp]\n\t"
                   "cmp r4, lr\n\t" /* for the jump below */
                   "mvn r8, r8\n\t"
                   "lsl r10, r10, #1\n\t"
                   "add r11, r10, r11, lsl #1\n\t"
                   "add r12, r10, r12, lsl #1\n\t"
                   "lsl r10, r7, r8\n\t"
                   "add lr, r10, r11, asr #31\n\t"
                   "add r10, r10, r12, asr #31\n\t"
                   "smmlar r11, r11, r9, lr\n\t"
                   "smmlar r12, r12, r9, r10\n\t"
                   "asr r11, r11, r8\n\t"
                   "asr r12, r12, r8\n\t"
                   "usat r11, #8, r11, asr #1\n\t"
                   "usat r12, #8, r12, asr #1\n\t"
                   "ldrb r11, [r1, r11]\n\t"
                   "ldrb r12, [r1, r12]\n\t"
                   "strb r11, [r2], #1\n\t"
                   "strb r12, [r3], #1\n\t"
                   "bne 1b\n\t"
                   "pop {r3-r11, pc}");
}

#else

/* How one channel's sums become codes. */
typedef struct scaling {
    const int8_t *table;
    int32_t bias; /* doubled */
    int32_t multiplier;
    int32_t down; /* what is shifted to the right, less one */
    int32_t offset;
} scaling;

static inline int8_t code_of(const scaling *by, int32_t sum)
{
    const int32_t doubled = dd_add(dd_shift_left(sum, 1), by->bias);
    const int32_t offset = dd_add(by->offset, doubled >> 31);
    const int32_t any = dd_add_rounded_high(doubled, by->multiplier, offset) >> by->down;
    return by->table[dd_clamp(any >> 1, 0, 255)];
}

static inline void store_codes(const scaling *by, const int32_t *sums, uint32_t hop, int8_t *out)
{
    out[0] = code_of(by, sums[0]);
    out += hop;
    out[0] = code_of(by, sums[1]);
#if DD_TILE > 2
    out += hop;
    out[0] = code_of(by, sums[2]);
    out += hop;
    out[0] = code_of(by, sums[3]);
#endif
}

void dd_store_doubled(const dd_conv1d *layer, const int8_t *table, const int32_t *sums,
                      const dd_tile_part *part)
{
    const uint32_t hop = layer->out_channels;
    const int32_t *bias = layer->bias + part->first;
    const int32_t *multiplier = layer->multiplier + part->first;
    const int8_t *shift = layer->shift + part->first;
    const int32_t offset = dd_index_offset(layer->out_zero_point);
    scaling by = {.table = table};
    int8_t *out = part->out + part->first;
    for (uint32_t left = part->count; left != 0; left--) {
        by.down = -1 - *shift++;
        by.multiplier = *multiplier++;
        by.bias = dd_shift_left(*bias++, 1);
        by.offset = dd_shift_left(offset, by.down);
        store_codes(&by, sums, hop, out);
        sums += DD_TILE;
        out++;
    }
}

#endif
