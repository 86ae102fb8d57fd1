/* What a program of networks runs: tests/graphs/cores.py writes them. */
#ifndef NETWORK_CASES_H
#define NETWORK_CASES_H

#include "dd_net.h"

/* A network, an input, and how many of its values come at a time. */
typedef struct network_case {
    const dd_net_plan *plan;
    const int8_t *input;
    uint32_t bytes;
    uint32_t push;
    uint32_t tensors; /* that a trace sees */
} network_case;

extern const network_case network_cases[];
extern const uint32_t network_count;

/* As large as the largest network needs. */
extern dd_line network_lines[];
extern uint16_t network_counts[];
extern int8_t network_values[];
extern uint32_t network_crcs[];

#endif
