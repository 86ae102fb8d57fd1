/* What every program for an emulated core begins with, and how it tells its results. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdint.h>

/* Ticks of the core's counter, which counts down, since an earlier reading of it. */
uint32_t core_counter(void);
uint32_t core_ticks_since(uint32_t before);

/* Print a result's CRC and the ticks that it took. */
void core_print(uint32_t crc, uint32_t ticks);

/* The program's own; when it returns the emulator ends. */
void run_cases(void);

#endif
