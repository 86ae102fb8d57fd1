/* A UART as the wire. board.toml names its driver, app/uart_<driver>.c, which gives the functions
 * below and board_read and board_write. Polled: the host never sends while the board is at work, so
 * a byte of hardware buffer is enough, and a fault report gets out with interrupts off. */
#ifndef UART_H
#define UART_H

#include <stdint.h>

/* Set BOARD_UART_BAUD, 8 data bits, no parity, 1 stop bit, at a UART clock of `clock_hz`. Its own
 * clock and its pins are on already. */
void uart_start(uint32_t clock_hz);

/* Return when the last byte is on the wire: a reset would cut it off. */
void uart_drain(void);

#endif
