#include "dd_transpose_s8.h"

#include <stddef.h>

#include "dd_lookup_s8.h"

void dd_transpose_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                     uint32_t steps, int8_t *out)
{
    const dd_transpose *const transpose = params;
    const uint32_t in_channels = transpose->in_channels;
    const uint32_t begin = transpose->begin - (uint32_t)in->begin;
    int8_t *to = out;
    for (uint32_t step = first; step < first + steps; step++) {
        const int8_t *at = in->values + begin * in_channels;
        at += transpose->skip + step * transpose->every;
        for (uint32_t c = 0; c < transpose->channels; c++) {
            *to++ = *at;
            at += transpose->stride * in_channels;
        }
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, steps * transpose->channels);
    }
}
