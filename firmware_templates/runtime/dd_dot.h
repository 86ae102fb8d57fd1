/* Dot products of several windows with rows of weights: the one part of the runtime that is written
 * anew for each instruction set. All kernel sets stand behind this contract and give the same sums.
 *
 *   DD_KERNELS_PLAIN   any core; 32-bit multiplications only (Cortex-M0, M0+)
 *   DD_KERNELS_LANES   any core; wants a fast 32 x 32 -> 64 bit multiply-accumulate (Cortex-M3)
 *   DD_KERNELS_DSP     the DSP extension (Cortex-M4, M7, M33); elsewhere its C twin
 *   DD_KERNELS_HELIUM  the vector extension (Cortex-M55); elsewhere its C twin
 *
 * DD_KERNELS names the one that is built. The generated dd_kernels.h defines it, because weights
 * and plan are made for it: their order and the number of steps in a tile depend on it. */
#ifndef DD_DOT_H
#define DD_DOT_H

#include <stdbool.h>
#include <stdint.h>

#include "dd_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DD_KERNELS_PLAIN  1
#define DD_KERNELS_LANES  2
#define DD_KERNELS_DSP    3
#define DD_KERNELS_HELIUM 4

/* DD_TILE: the steps that are computed at a time, one window each.
 * DD_WINDOW_WORDS: words that hold `count` values of all of them, packed. */
#if DD_KERNELS == DD_KERNELS_DSP
#define DD_TILE                2
#define DD_WINDOW_WORDS(count) (((count) + 3u) / 4u * 4u + 2u)
#elif DD_KERNELS == DD_KERNELS_HELIUM
#define DD_TILE                4
#define DD_WINDOW_WORDS(count) (((count) + 15u) / 16u * 16u)
#elif DD_KERNELS == DD_KERNELS_LANES
#define DD_TILE                4
#define DD_WINDOW_WORDS(count) (2u * (count))
#elif DD_KERNELS == DD_KERNELS_PLAIN
#define DD_TILE                4
#define DD_WINDOW_WORDS(count) (((count) + 3u) / 4u * 16u)
#else
#error "DD_KERNELS must be one of DD_KERNELS_PLAIN, _LANES, _DSP and _HELIUM."
#endif

/* What the kernels take of the stack: DD_PART values of the windows and the sums of DD_BLOCK output
 * channels at a time. Larger windows and layers take more rounds. */
#if !defined(DD_PART)
#define DD_PART  160u
#define DD_BLOCK 64u
#endif

/* The order of a layer's weights.
 *
 * Rows: [channels][values], each output channel's behind the other's, the values rounded up with
 * zeros to whole fours, for DD_KERNELS_HELIUM to whole sixteens.
 * Pairs: [channels / 2][values][2], two channels' values side by side, rounded up: an odd last
 * channel has zeros for a partner.
 * Fours, for DD_KERNELS_DSP: [channels / 4][values / 2][2][2][2], of four channels a pair of values
 * of two, then of the other two; behind them what is left of one or two channels,
 * [values / 2][2][2]. Values are rounded up to whole fours, each in the order 0, 2, 1, 3, and 128
 * is added to each weight of the first channel of two.
 *
 * DD_VALUE_BYTES: from a channel's value to its next. DD_ROW_BYTES: from a channel of `values`
 * values to the next where the weights are in rows, half the way from pair to pair elsewhere. */
#if DD_KERNELS == DD_KERNELS_HELIUM
#define DD_VALUE_BYTES           1u
#define DD_ROW_BYTES(values)     (((values) + 15u) / 16u * 16u)
#define DD_WEIGHT_ROWS(channels) (channels)
#elif DD_KERNELS == DD_KERNELS_PLAIN
#define DD_VALUE_BYTES           1u
#define DD_ROW_BYTES(values)     (((values) + 3u) / 4u * 4u)
#define DD_WEIGHT_ROWS(channels) (channels)
#elif DD_KERNELS == DD_KERNELS_DSP
#define DD_VALUE_BYTES           2u
#define DD_ROW_BYTES(values)     (((values) + 3u) / 4u * 4u)
#define DD_WEIGHT_ROWS(channels) (((channels) + 1u) / 2u * 2u)
#else
#define DD_VALUE_BYTES           2u
#define DD_ROW_BYTES(values)     (values)
#define DD_WEIGHT_ROWS(channels) (((channels) + 1u) / 2u * 2u)
#endif

/* Some rows of weights. */
typedef struct dd_rows {
    const int8_t *weights; /* of the first channel, whose number is a multiple of four */
    uint32_t row_bytes;
    uint32_t channels; /* an odd last one of a pair has its partner worked out as well */
    uint32_t from;     /* the first value that is wanted, a multiple of DD_PART */
} dd_rows;

/* Pack `count` (1 to DD_PART) values of DD_TILE windows, which lie `hop` bytes apart. */
void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows);

/* Multiply packed windows of `count` values by rows of weights. `sums` [channels][DD_TILE], with
 * room for an odd last channel's partner, becomes the dot products, or with `add` takes them in
 * addition. */
void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums);

#ifdef __cplusplus
}
#endif

#endif
