/* Feed a network: what NAME_push and NAME_run of a generated NAME_net.h are made of. */
#ifndef DD_PUSH_H
#define DD_PUSH_H

#include <stddef.h>
#include <stdint.h>

#include "dd_net.h"
#include "dd_status.h"
#include "dd_trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Take the next `count` steps of the input, or as many of them as it lacks: `taken` says how many.
 * Of several inputs the first comes whole before the second, and a call ends with an input.
 *
 * DD_OUTPUT_READY when all of the input has come; the next step begins another one. DD_OK if some
 * are missing. A trace (or null) sees the tensors; DD_STOPPED if it asks for it, and another begin
 * is due. */
DD_MUST_CHECK dd_status dd_push_steps(const dd_net *net, const int8_t *steps, size_t count,
                                      size_t *taken, const dd_trace *trace);

/* Run the network over whole inputs, from the first step of each. DD_OK when it is done. */
DD_MUST_CHECK dd_status dd_push_whole(const dd_net *net, const int8_t *const *inputs,
                                      const dd_trace *trace);

/* Whether all of the input has come. */
bool dd_push_complete(const dd_net *net);

#ifdef __cplusplus
}
#endif

#endif
