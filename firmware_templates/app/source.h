/* Where the samples of a device that sends by itself come from. board.toml names the driver,
 * app/source_<driver>.c, which gives the functions below; without one the board's own C does. */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stdint.h>

/* Begin to sample, APP_SAMPLE_RATE_HZ times a second, in ADC units of the model's converter. */
void source_start(void);

/* Take the next sample. False if there is none yet: never waits. A source keeps those that come
 * while the network computes or a packet goes over the wire. */
bool source_read(int16_t *sample);

#if BOARD_SOURCE_IS_LINK
#include "dd_link.h"

/* Samples came over the wire: `request` stays the source's until it answers it. */
void source_receive(dd_link *link, const dd_request *request);
#endif

#endif
