#include "dd_dense_s8.h"

#include "dd_requant.h"

void dd_dense_s8(const dd_dense *layer, const int8_t *in, int8_t *out)
{
    const int32_t low = layer->out_min - layer->out_zero_point;
    const int32_t high = layer->out_max - layer->out_zero_point;
    const int8_t *weights = layer->weights;
    for (uint32_t row = 0; row < layer->out_count; row++) {
        int32_t sum = layer->bias[row];
        for (uint32_t i = 0; i < layer->in_count; i++) {
            sum = dd_add(sum, weights[i] * in[i]);
        }
        weights += layer->in_count;
        const int32_t scaled = dd_requantize(sum, layer->multiplier[row], layer->shift[row]);
        out[row] = (int8_t)(dd_clamp(scaled, low, high) + layer->out_zero_point);
    }
}
