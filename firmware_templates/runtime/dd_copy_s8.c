#include "dd_copy_s8.h"

#include <stddef.h>
#include <string.h>

#include "dd_lookup_s8.h"

/* The output channels [from, end) that the input has. */
typedef struct channels_there {
    uint32_t from;
    uint32_t end;
} channels_there;

static channels_there channels_of(const dd_copy *copy)
{
    const uint32_t from = copy->skip < 0 ? (uint32_t)-copy->skip : 0;
    const int32_t left = (int32_t)copy->in_channels - copy->skip; /* from output channel 0 on */
    const uint32_t there = left > 0 ? ((uint32_t)left + copy->every - 1u) / copy->every : 0;
    const uint32_t end = there < copy->channels ? there : copy->channels;
    return (channels_there){from < end ? from : end, end};
}

/* One step; `in` is the input's. */
static void copy_step(const dd_copy *copy, channels_there there, const int8_t *in, int8_t *out)
{
    memset(out, copy->value, there.from);
    memset(out + there.end, copy->value, copy->channels - there.end);
    const int8_t *at = in + copy->skip + (int32_t)(there.from * copy->every);
    if (copy->every == 1) {
        memcpy(out + there.from, at, there.end - there.from);
        return;
    }
    for (uint32_t c = there.from; c < there.end; c++) {
        out[c] = *at;
        at += copy->every;
    }
}

/* value / divisor, rounded down, and what is left. */
typedef struct quotient {
    int32_t whole;
    int32_t rest;
} quotient;

static quotient divide_down(int32_t value, int32_t divisor)
{
    quotient of = {value, 0};
    if (divisor != 1) {
        of.whole = value / divisor;
        of.rest = value % divisor;
    }
    if (of.rest < 0) {
        of.whole--;
        of.rest += divisor;
    }
    return of;
}

void dd_copy_s8(const void *params, const int8_t *table, const dd_view *in, uint32_t first,
                uint32_t steps, int8_t *out)
{
    const dd_copy *const copy = params;
    const channels_there there = channels_of(copy);
    const quotient hop = divide_down(copy->stride, copy->up);
    quotient at = divide_down((int32_t)(first * copy->stride) - copy->before, copy->up);
    int8_t *to = out;
    for (uint32_t step = 0; step < steps; step++) {
        if (at.whole >= in->begin && at.whole < in->end) {
            const uint32_t from = (uint32_t)(at.whole - in->begin);
            copy_step(copy, there, in->values + from * copy->in_channels, to);
        } else {
            memset(to, copy->value, copy->channels);
        }
        at.whole += hop.whole;
        at.rest += hop.rest;
        if (at.rest >= copy->up) {
            at.rest -= copy->up;
            at.whole++;
        }
        to += copy->channels;
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, steps * copy->channels);
    }
}
