/* A device under test of MLPerf Tiny, as docs/mlperf.md describes it: its commands come as text. */
#ifndef MLPERF_H
#define MLPERF_H

#include <stdint.h>

void mlperf_init(void);

/* Take one byte off the wire; act and answer if it completes a command. */
void mlperf_receive(uint8_t byte);

#endif
