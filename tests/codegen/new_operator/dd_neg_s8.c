#include "dd_neg_s8.h"

#include <stddef.h>

#include "dd_lookup_s8.h"

void dd_neg_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
               uint32_t steps, int8_t *out)
{
    const dd_neg *const of = params;
    const int8_t *const values = in->values + (first - (uint32_t)in->begin) * of->channels;
    for (uint32_t i = 0; i < steps * of->channels; i++) {
        const int32_t code = 2 * of->zero_point - values[i];
        const int32_t low = code < INT8_MIN ? INT8_MIN : code;
        out[i] = (int8_t)(low > INT8_MAX ? INT8_MAX : low);
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, steps * of->channels);
    }
}
