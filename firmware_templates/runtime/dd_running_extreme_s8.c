#include "dd_running_extreme_s8.h"

#include <stddef.h>
#include <string.h>

#include "dd_extreme_s8.h"
#include "dd_lookup_s8.h"

static void take(const dd_running_reduce *of, const dd_view *in, uint32_t first, uint32_t steps,
                 int8_t *extremes)
{
    const dd_reduce *const whole = &of->whole;
    const uint32_t at = (first - (uint32_t)in->begin) * whole->in_channels;
    if (first == 0) {
        memset(extremes, INT8_MIN, whole->channels);
    }
    dd_extreme_take(whole, in->values + at, whole->channels, steps * of->per_step, extremes);
}

void dd_running_extreme_s8(const void *params, const int8_t *table, const dd_view *in,
                           uint32_t first, uint32_t steps, int8_t *out)
{
    const dd_running_reduce *const of = params;
    if (!of->ends) {
        take(of, in, first, steps, out);
        return;
    }
    dd_extreme_finish(&of->whole, in->values, of->whole.channels, out);
    if (table != NULL) {
        dd_lookup_s8(table, out, of->whole.channels);
    }
}
