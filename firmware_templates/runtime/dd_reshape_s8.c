#include "dd_reshape_s8.h"

#include <stddef.h>
#include <string.h>

#include "dd_lookup_s8.h"

void dd_reshape_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                   uint32_t steps, int8_t *out)
{
    const dd_reshape *const reshape = params;
    const uint32_t begin = (uint32_t)in->begin * reshape->in_channels;
    const uint32_t count = steps * reshape->channels;
    memmove(out, in->values + (first * reshape->channels - begin), count);
    if (table != NULL) {
        dd_lookup_s8(table, out, count);
    }
}
