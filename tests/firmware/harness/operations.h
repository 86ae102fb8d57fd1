/* What the harness can run, one function each. */
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "wire.h"

/* Operations by number; tests/firmware/harness.py holds the same list. */
#define OPERATION_LIST(X)      \
    X(2, run_layer)            \
    X(3, run_lookup)           \
    X(4, run_requantize)       \
    X(5, run_requantize_index) \
    X(6, run_map_affine)       \
    X(7, run_map_minmax)       \
    X(8, run_decision)         \
    X(9, run_packet)           \
    X(10, run_crc32)           \
    X(11, run_cobs_encode)     \
    X(12, run_cobs_decode)     \
    X(13, run_rice)            \
    X(14, run_network)         \
    X(15, run_codec)           \
    X(16, run_kernel)

#define DECLARE(number, name) void name(request *from);
OPERATION_LIST(DECLARE)
#undef DECLARE

void run_operation(request *from);

#endif
