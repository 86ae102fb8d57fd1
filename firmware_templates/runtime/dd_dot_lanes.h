/* Four dot products against one row of weights with two multiplications: integer arithmetic only,
 * for any core whose 32 x 32 -> 64 bit multiply-accumulate is fast (every Cortex-M4 and above).
 *
 * Two values share a word, a + b x 2^23. Its product with a weight is a w + b w x 2^23, and a sum
 * of such products keeps both dot products apart as long as the lower one stays within 23 bits. */
#ifndef DD_DOT_LANES_H
#define DD_DOT_LANES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DD_LANE_BITS 23
#define DD_LANE_ONE  ((int32_t)1 << DD_LANE_BITS)

/* Most values that a dot product may have: 255 x 128 x 128 is below 2^22. */
#define DD_LANES_MAX 255u

/* One value of four windows. */
typedef struct dd_lanes {
    int32_t first;  /* of windows 0 and 1 */
    int32_t second; /* of windows 2 and 3 */
} dd_lanes;

/* Put int8 values a (lower) and b (upper) into one word. */
static inline int32_t dd_lane_pair(int32_t a, int32_t b)
{
    return a + b * DD_LANE_ONE;
}

/* Multiply `count` (1 to DD_LANES_MAX) values of four windows by two rows of weights `u` and `v`:
 * `sums` [2][4] becomes the dot products, row by row. */
void dd_dot_lanes(const dd_lanes *windows, const int8_t *u, const int8_t *v, uint32_t count,
                  int32_t *sums);

#ifdef __cplusplus
}
#endif

#endif
