/* Fully connected int8 layer with TFLite's arithmetic. */
#ifndef DD_DENSE_S8_H
#define DD_DENSE_S8_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_dense {
    uint16_t in_count;
    uint16_t out_count;
    int8_t out_zero_point;
    int8_t out_min; /* fused activation as a clamp */
    int8_t out_max;
    const int8_t *weights;     /* [out_count][in_count] */
    const int32_t *bias;       /* [out_count], less in_zero_point x sum of the row's weights */
    const int32_t *multiplier; /* [out_count], Q0.31 mantissa */
    const int8_t *shift;       /* [out_count], left if positive */
} dd_dense;

/* Multiply `in` [in_count] by the weights into `out` [out_count]. The two must not overlap. */
void dd_dense_s8(const dd_dense *layer, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
