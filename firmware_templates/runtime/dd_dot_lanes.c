/* Two dot products for one multiplication, in plain C.
 *
 * Two values share a word, a + b x 2^23. Its product with a weight is a w + b w x 2^23, and a sum
 * of such products keeps both dot products apart as long as the lower one stays within 23 bits. */
#include "dd_dot.h"

#if DD_KERNELS == DD_KERNELS_LANES

#include <assert.h>

#include "dd_inline.h"

#define LANE_BITS 23
#define LANE_ONE  ((int32_t)1 << LANE_BITS)
#define UNROLL    8u

static_assert((int64_t)DD_PART * 128 * 128 < LANE_ONE / 2, "the lower lane must hold its sum");
static_assert((-1 >> 1) == -1, "right shifts of negative integers must be arithmetic");

/* One value of four windows. */
typedef struct lanes {
    int32_t first;  /* of windows 0 and 1 */
    int32_t second; /* of windows 2 and 3 */
} lanes;

static_assert(sizeof(lanes) == DD_WINDOW_WORDS(1) * sizeof(uint32_t), "two words a value");

typedef struct lane_sums {
    int64_t u_first;
    int64_t u_second;
    int64_t v_first;
    int64_t v_second;
} lane_sums;

void dd_dot_pack(const int8_t *in, uint32_t hop, uint32_t count, uint32_t *windows)
{
    const int8_t *const in1 = in + hop;
    const int8_t *const in2 = in1 + hop;
    const int8_t *const in3 = in2 + hop;
    for (uint32_t i = 0; i < count; i++) {
        windows[0] = (uint32_t)(in[i] + in1[i] * LANE_ONE);
        windows[1] = (uint32_t)(in2[i] + in3[i] * LANE_ONE);
        windows += 2;
    }
}

/* In this order no more than three operands are alive at a time. Here and below, the compiler's own
 * choice of what to inline spills sums to the stack inside the loop. */
static inline DD_ALWAYS_INLINE void multiply(const lanes *windows, const int8_t *weights,
                                             lane_sums *sums)
{
    const int32_t first = windows->first;
    const int32_t second = windows->second;
    const int32_t u = weights[0];
    sums->u_first += (int64_t)first * u;
    sums->u_second += (int64_t)second * u;
    const int32_t v = weights[1];
    sums->v_first += (int64_t)first * v;
    sums->v_second += (int64_t)second * v;
}

static inline void split(int64_t packed, int32_t *sums)
{
    const int32_t low = (int32_t)((uint32_t)packed << (32 - LANE_BITS)) >> (32 - LANE_BITS);
    sums[0] += low;
    /* A negative lower lane has borrowed one from the upper. */
    sums[1] += (int32_t)(packed >> LANE_BITS) + (low < 0 ? 1 : 0);
}

static inline void split_all(const lane_sums *lanes_of, int32_t *sums)
{
    split(lanes_of->u_first, sums);
    split(lanes_of->u_second, sums + 2);
    split(lanes_of->v_first, sums + 4);
    split(lanes_of->v_second, sums + 6);
}

/* Nothing but this loop: four 64-bit sums, two pointers and three operands are nearly all the
 * registers that a Cortex-M has. */
DD_NEVER_INLINE static void dot_unrolled(const lanes *windows, const int8_t *weights,
                                         uint32_t count, int32_t *sums)
{
    const lanes *const end = windows + count;
    lane_sums all = {0, 0, 0, 0};
    do {
        multiply(windows, weights, &all);
        multiply(windows + 1, weights + 2, &all);
        multiply(windows + 2, weights + 4, &all);
        multiply(windows + 3, weights + 6, &all);
        multiply(windows + 4, weights + 8, &all);
        multiply(windows + 5, weights + 10, &all);
        multiply(windows + 6, weights + 12, &all);
        multiply(windows + 7, weights + 14, &all);
        windows += UNROLL;
        weights += 2 * UNROLL;
    } while (windows != end);
    split_all(&all, sums);
}

DD_NEVER_INLINE static void dot_looped(const lanes *windows, const int8_t *weights, uint32_t count,
                                       int32_t *sums)
{
    lane_sums all = {0, 0, 0, 0};
    for (uint32_t i = 0; i < count; i++) {
        multiply(windows + i, weights + 2 * i, &all);
    }
    split_all(&all, sums);
}

void dd_dot_rows(const uint32_t *windows, uint32_t count, const dd_rows *rows, bool add,
                 int32_t *sums)
{
    const lanes *const values = (const lanes *)(const void *)windows;
    const uint32_t whole = count / UNROLL * UNROLL;
    const int8_t *weights = rows->weights + rows->from * DD_VALUE_BYTES;
    for (uint32_t channel = 0; channel < rows->channels; channel += 2) {
        for (uint32_t i = 0; i < 2 * DD_TILE && !add; i++) {
            sums[i] = 0;
        }
        if (whole != 0) {
            dot_unrolled(values, weights, whole, sums);
        }
        if (whole != count) {
            dot_looped(values + whole, weights + 2 * whole, count - whole, sums);
        }
        weights += 2u * rows->row_bytes;
        sums += 2 * DD_TILE;
    }
}

#endif
