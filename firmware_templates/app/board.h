/* What the application asks of a board. boards/<name>/board.c answers it, with the UART driver that
 * board.toml names. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board_config.h" /* made from board.toml: name, clock, counter, UART */

/* What one tick of board_ticks() is; the numbers stand in the protocol. */
#define BOARD_COUNTER_CYCLES       0
#define BOARD_COUNTER_INSTRUCTIONS 1
#define BOARD_COUNTER_NANOSECONDS  2

/* Set up clocks, the wire and the counter. Called once, first. */
void board_init(void);

/* Take one byte off the wire. False if none has come; where the processor is shared it may wait. */
bool board_read(uint8_t *byte);

/* Put `count` bytes on the wire; returns when the last was handed to the hardware. Works with
 * interrupts disabled and inside a fault handler. */
void board_write(const uint8_t *bytes, size_t count);

/* Ticks since board_init(), BOARD_COUNTER_HZ of them a second. Never runs backwards. */
uint64_t board_ticks(void);

/* Start again from the reset vector. */
_Noreturn void board_reset(void);

/* Bytes reserved for the stack, and the most of them ever used; 0 where a board cannot say. */
uint32_t board_stack_bytes(void);
uint32_t board_stack_peak_bytes(void);

#endif
