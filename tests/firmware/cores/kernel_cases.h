/* What a program of cases runs: tests/firmware/kernel_program.py writes them. */
#ifndef KERNEL_CASES_H
#define KERNEL_CASES_H

#include "dd_layer.h"

/* Output steps [first, first + steps), and the steps of each input that may be read for them. */
typedef struct kernel_tile {
    uint32_t first;
    uint32_t steps;
    const dd_view *in;
} kernel_tile;

typedef struct kernel_case {
    dd_kernel *run;
    const void *params;
    const int8_t *table;
    uint32_t tile_count;
    const kernel_tile *tiles;
    uint32_t channels; /* of the output */
    uint32_t inputs;
    uint32_t in_channels[DD_INPUTS_MAX];
} kernel_case;

extern const kernel_case kernel_cases[];
extern const uint32_t kernel_count;
extern int8_t kernel_out[]; /* as large as the largest output */

#endif
