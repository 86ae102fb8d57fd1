#include "dd_concatenation_s8.h"

#include <stddef.h>
#include <string.h>

#include "dd_lookup_s8.h"

/* Copy what output steps [first, end) have of one input. */
static void place(const dd_concatenated *of, const dd_view *in, uint32_t channels, uint32_t first,
                  uint32_t end, int8_t *out)
{
    const uint32_t stop = (uint32_t)of->step + of->steps;
    const uint32_t from = first > of->step ? first : of->step;
    const uint32_t last = end < stop ? end : stop;
    if (from >= last) {
        return;
    }
    const uint32_t skipped = from - of->step - (uint32_t)in->begin;
    const int8_t *at = in->values + skipped * of->channels;
    int8_t *to = out + (from - first) * channels + of->channel;
    for (uint32_t step = from; step < last; step++) {
        memcpy(to, at, of->channels);
        at += of->channels;
        to += channels;
    }
}

void dd_concatenation_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                         uint32_t steps, int8_t *out)
{
    const dd_concatenation *const all = params;
    for (uint32_t i = 0; i < all->count; i++) {
        place(&all->inputs[i], &in[i], all->channels, first, first + steps, out);
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, steps * all->channels);
    }
}
