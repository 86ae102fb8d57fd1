#include "dd_move_s8.h"

#include <stddef.h>

#include "dd_lookup_s8.h"

void dd_move_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                uint32_t steps, int8_t *out)
{
    const dd_move *const move = params;
    const uint32_t count = steps * move->channels;
    const int8_t *const values = in->values + (first - (uint32_t)in->begin) * move->channels;
    const int8_t *const codes = move->codes + 128;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = codes[values[i]];
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, count);
    }
}
