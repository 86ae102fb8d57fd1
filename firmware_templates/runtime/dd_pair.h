/* The two operands of an element-wise kernel, and how it walks through them. */
#ifndef DD_PAIR_H
#define DD_PAIR_H

#include <stddef.h>
#include <stdint.h>

#include "dd_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dd_pair {
    uint16_t channels;    /* of the output */
    uint16_t first_step;  /* values of an operand from one output step to the next: its channels, */
    uint16_t second_step; /* or 0 where all steps read its only one */
    uint8_t first_channel;  /* values from one channel to the next: 1, */
    uint8_t second_channel; /* or 0 where all channels read its only one */
} dd_pair;

/* Values that follow each other in the output, and what they are computed from: hops of 0 or 1 from
 * one value of an operand to its next. */
typedef struct dd_row {
    const int8_t *first;
    const int8_t *second;
    uint32_t first_hop;
    uint32_t second_hop;
    uint32_t count;
} dd_row;

/* How a kernel computes a row. `out` may lie on an operand whose hop is 1, or before it. */
typedef void dd_row_kernel(const void *params, const dd_row *row, int8_t *out);

/* Run `kernel` over the output steps [first, first + steps), in as few rows as the operands allow,
 * then look the values up in `table` unless it is null. The second operand is `constant`, from its
 * first step on, unless that is null. */
void dd_pair_rows(const dd_pair *pair, const int8_t *constant, const void *params,
                  dd_row_kernel *kernel, const int8_t *table, const dd_view *in, uint32_t first,
                  uint32_t steps, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
