#include "dd_running_mean_s8.h"

#include <stddef.h>
#include <string.h>

#include "dd_lookup_s8.h"
#include "dd_mean_s8.h"

static void take(const dd_running_reduce *of, const dd_view *in, uint32_t first, uint32_t steps,
                 int32_t *sums)
{
    const dd_reduce *const whole = &of->whole;
    const uint32_t at = (first - (uint32_t)in->begin) * whole->in_channels;
    if (first == 0) {
        memset(sums, 0, whole->channels * sizeof *sums);
    }
    dd_mean_take(whole, in->values + at, whole->channels, steps * of->per_step, sums);
}

void dd_running_mean_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                        uint32_t steps, int8_t *out)
{
    const dd_running_reduce *const of = params;
    if (!of->ends) {
        take(of, in, first, steps, (void *)out);
        return;
    }
    dd_mean_finish(&of->whole, (const void *)in->values, of->whole.channels, out);
    if (table != NULL) {
        dd_lookup_s8(table, out, of->whole.channels);
    }
}
