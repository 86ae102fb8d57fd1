#include "dd_mirror_pad_s8.h"

#include <stddef.h>
#include <string.h>

#include "dd_lookup_s8.h"

/* The input step that lies at `step`, counted from the input's first. */
static int32_t mirrored(const dd_mirror_pad *pad, int32_t step)
{
    const int32_t end = pad->in_length;
    if (step < 0) {
        return pad->edge - 1 - step;
    }
    return step < end ? step : 2 * end - 1 - pad->edge - step;
}

void dd_mirror_pad_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                      uint32_t steps, int8_t *out)
{
    const dd_mirror_pad *const pad = params;
    int32_t step = (int32_t)first - pad->before;
    int8_t *to = out;
    for (uint32_t i = 0; i < steps; i++) {
        const uint32_t from = (uint32_t)(mirrored(pad, step) - in->begin);
        memcpy(to, in->values + from * pad->channels, pad->channels);
        step++;
        to += pad->channels;
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, steps * pad->channels);
    }
}
