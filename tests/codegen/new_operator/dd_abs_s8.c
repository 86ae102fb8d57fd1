#include "dd_abs_s8.h"

#include <stddef.h>

#include "dd_lookup_s8.h"

void dd_abs_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
               uint32_t steps, int8_t *out)
{
    const dd_abs *const of = params;
    const int8_t *const values = in->values + (first - (uint32_t)in->begin) * of->channels;
    for (uint32_t i = 0; i < steps * of->channels; i++) {
        const int32_t distance = values[i] - of->zero_point;
        const int32_t code = (distance < 0 ? -distance : distance) + of->zero_point;
        out[i] = (int8_t)(code > INT8_MAX ? INT8_MAX : code);
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, steps * of->channels);
    }
}
