/* The host's end of the fuzzed firmware's wire. */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <stdint.h>

/* Take a byte that the firmware sent. */
void wire_take(uint8_t byte);

#endif
