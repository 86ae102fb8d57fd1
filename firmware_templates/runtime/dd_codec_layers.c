#include "dd_codec.h"

dd_status dd_codec_layers(const dd_codec *codec, const int16_t *samples, size_t count,
                          size_t *taken)
{
    int8_t *const codes = codec->values + codec->plan->layers->input;
    if (codec->plan->map == NULL) {
        (void)dd_map_minmax(samples, codes, (uint32_t)count);
    } else {
        codec->state->clipped =
            (uint16_t)dd_map_affine(codec->plan->map, samples, codes, (uint32_t)count);
    }
    *taken = count;
    const dd_status status = dd_report(codec->state->trace, 0, codes, (uint32_t)count);
    return status == DD_OK ? dd_layers_run(codec->plan->layers, codec->values, codec->state->trace)
                           : status;
}
