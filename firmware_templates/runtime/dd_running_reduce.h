/* Reductions over time that take the steps as they come. */
#ifndef DD_RUNNING_REDUCE_H
#define DD_RUNNING_REDUCE_H

#include <stdbool.h>
#include <stdint.h>

#include "dd_reduce.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A reduction in two halves with one kernel: one takes steps into a state, which is its output; one
 * makes codes of that, which is its input. */
typedef struct dd_running_reduce {
    dd_reduce whole;
    uint16_t per_step; /* values of a step that become one */
    bool ends;         /* whether this is the second half */
} dd_running_reduce;

#ifdef __cplusplus
}
#endif

#endif
