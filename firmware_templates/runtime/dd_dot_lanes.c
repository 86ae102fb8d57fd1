#include "dd_dot_lanes.h"

#include <assert.h>

#define UNROLL 8u

/* Where the compiler's own choice spills sums to the stack inside the loop. */
#if defined(__GNUC__)
#define ALWAYS_INLINE __attribute__((always_inline))
#define NEVER_INLINE  __attribute__((noinline))
#else
#define ALWAYS_INLINE
#define NEVER_INLINE
#endif

static_assert((int64_t)DD_LANES_MAX * 128 * 128 < DD_LANE_ONE / 2,
              "the lower lane must hold its sum");
static_assert((-1 >> 1) == -1, "right shifts of negative integers must be arithmetic");

typedef struct lane_sums {
    int64_t u_first;
    int64_t u_second;
    int64_t v_first;
    int64_t v_second;
} lane_sums;

/* In this order no more than three operands are alive at a time. */
static inline ALWAYS_INLINE void multiply(const dd_lanes *windows, const int8_t *u, const int8_t *v,
                                          lane_sums *lanes)
{
    const int32_t first = windows->first;
    const int32_t second = windows->second;
    const int32_t u_weight = *u;
    lanes->u_first += (int64_t)first * u_weight;
    lanes->u_second += (int64_t)second * u_weight;
    const int32_t v_weight = *v;
    lanes->v_first += (int64_t)first * v_weight;
    lanes->v_second += (int64_t)second * v_weight;
}

static inline void split(int64_t lanes, int32_t *sums)
{
    const int32_t low = (int32_t)((uint32_t)lanes << (32 - DD_LANE_BITS)) >> (32 - DD_LANE_BITS);
    sums[0] = low;
    /* A negative lower lane has borrowed one from the upper. */
    sums[1] = (int32_t)(lanes >> DD_LANE_BITS) + (low < 0 ? 1 : 0);
}

static inline void split_all(const lane_sums *lanes, int32_t *sums)
{
    split(lanes->u_first, sums);
    split(lanes->u_second, sums + 2);
    split(lanes->v_first, sums + 4);
    split(lanes->v_second, sums + 6);
}

/* Nothing but this loop: four 64-bit sums, three pointers and three operands are all the registers
 * that a Cortex-M has. */
NEVER_INLINE static void dot_unrolled(const dd_lanes *windows, const int8_t *u, const int8_t *v,
                                      uint32_t count, int32_t *sums)
{
    const dd_lanes *const end = windows + count;
    lane_sums lanes = {0, 0, 0, 0};
    do {
        multiply(windows, u, v, &lanes);
        multiply(windows + 1, u + 1, v + 1, &lanes);
        multiply(windows + 2, u + 2, v + 2, &lanes);
        multiply(windows + 3, u + 3, v + 3, &lanes);
        multiply(windows + 4, u + 4, v + 4, &lanes);
        multiply(windows + 5, u + 5, v + 5, &lanes);
        multiply(windows + 6, u + 6, v + 6, &lanes);
        multiply(windows + 7, u + 7, v + 7, &lanes);
        windows += UNROLL;
        u += UNROLL;
        v += UNROLL;
    } while (windows != end);
    split_all(&lanes, sums);
}

NEVER_INLINE static void dot_looped(const dd_lanes *windows, const int8_t *u, const int8_t *v,
                                    uint32_t count, int32_t *sums)
{
    lane_sums lanes = {0, 0, 0, 0};
    for (uint32_t i = 0; i < count; i++) {
        multiply(windows + i, u + i, v + i, &lanes);
    }
    split_all(&lanes, sums);
}

void dd_dot_lanes(const dd_lanes *windows, const int8_t *u, const int8_t *v, uint32_t count,
                  int32_t *sums)
{
    const uint32_t rest = count % UNROLL;
    if (rest == 0) {
        dot_unrolled(windows, u, v, count, sums);
        return;
    }
    const uint32_t whole = count - rest;
    dot_looped(windows + whole, u + whole, v + whole, rest, sums);
    if (whole != 0) {
        int32_t more[8];
        dot_unrolled(windows, u, v, whole, more);
        for (uint32_t i = 0; i < 8; i++) {
            sums[i] += more[i];
        }
    }
}
