#include "dd_pair.h"

#include "dd_lookup_s8.h"

/* Return where an operand's values for output step `first` begin. */
static const int8_t *at_step(const int8_t *values, uint32_t hop, int32_t steps)
{
    return values + (uint32_t)steps * hop;
}

/* Run a kernel on a row of which some operand has one value, which is read before any is written:
 * the output may lie on it. */
static void run_narrow(dd_row_kernel *kernel, const void *params, const dd_row *row, int8_t *out)
{
    const int8_t first = *row->first;
    const int8_t second = *row->second;
    dd_row now = *row;
    if (row->first_hop == 0) {
        now.first = &first;
    }
    if (row->second_hop == 0) {
        now.second = &second;
    }
    kernel(params, &now, out);
}

void dd_pair_rows(const dd_pair *pair, const int8_t *constant, const void *params,
                  dd_row_kernel *kernel, const int8_t *table, const dd_view *in, uint32_t first,
                  uint32_t steps, int8_t *out)
{
    const int32_t begin = (int32_t)first;
    const uint32_t values = steps * pair->channels;
    dd_row row = {
        .first = at_step(in[0].values, pair->first_step, begin - in[0].begin),
        .second = constant != NULL ? at_step(constant, pair->second_step, begin)
                                   : at_step(in[1].values, pair->second_step, begin - in[1].begin),
        .first_hop = pair->first_channel,
        .second_hop = pair->second_channel,
        .count = pair->channels,
    };
    int8_t *at = out;
    if (pair->first_step == pair->channels && pair->second_step == pair->channels) {
        row.count = values;
        steps = 1;
    }
    for (; steps != 0; steps--) {
        if (row.first_hop != 0 && row.second_hop != 0) {
            kernel(params, &row, at);
        } else {
            run_narrow(kernel, params, &row, at);
        }
        row.first += pair->first_step;
        row.second += pair->second_step;
        at += row.count;
    }
    if (table != NULL) {
        dd_lookup_s8(table, out, values);
    }
}
