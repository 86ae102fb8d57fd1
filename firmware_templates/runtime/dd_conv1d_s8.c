#include "dd_conv1d_s8.h"

#include <stddef.h>

#include "dd_requant.h"

static int32_t dot(const dd_conv1d *layer, const int8_t *in, int32_t first, const int8_t *weights)
{
    int32_t sum = 0;
    for (int32_t tap = 0; tap < layer->kernel; tap++) {
        const int32_t step = first + tap;
        for (int32_t channel = 0; channel < layer->in_channels; channel++) {
            const int32_t value = step >= 0 && step < layer->in_length ? in[step * layer->in_channels + channel]
                                                                       : layer->in_zero_point;
            sum = dd_add(sum, value * weights[tap * layer->in_channels + channel]);
        }
    }
    return sum;
}

void dd_conv1d_s8(const dd_conv1d *layer, const int8_t *in, int8_t *out)
{
    const size_t window = (size_t)layer->kernel * layer->in_channels;
    for (int32_t first = 0; first < layer->out_length; first += DD_CONV1D_TILE) {
        for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
            const int8_t *weights = layer->weights + channel * window;
            for (int32_t step = first; step < first + DD_CONV1D_TILE && step < layer->out_length; step++) {
                const int32_t sum = dd_add(layer->bias[channel],
                                           dot(layer, in, step * layer->stride - layer->pad_before, weights));
                const int32_t scaled = dd_requantize(sum, layer->multiplier[channel], layer->shift[channel]);
                const int32_t code = dd_clamp(dd_add(scaled, layer->out_zero_point), layer->out_min, layer->out_max);
                out[(size_t)step * layer->out_channels + channel] =
                    layer->table == NULL ? (int8_t)code : layer->table[code + 128];
            }
        }
    }
}
