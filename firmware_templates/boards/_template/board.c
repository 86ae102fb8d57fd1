/* <Board>: <part>. Register facts: <manual and section>. */
#include "board.h"
#include "cortex_m.h"
#include "counter.h"
#include "uart.h"

void board_init(void)
{
    /* 1. Clocks, until the core runs at BOARD_CLOCK_HZ. Bound every wait: wait_for().
     * 2. The UART's own clock and its pins. */
    uart_start(BOARD_CLOCK_HZ); /* the UART's clock, where that is another */
    counter_start();
}

/* A UART without a driver in app/ is one more file there, uart_<driver>.c (see uart.h), or stands
 * here, with uart.driver left out of board.toml: board_read, board_write and board_reset. Polled: a
 * fault report must get out with interrupts off. Clear overrun errors, or a UART that stops on one
 * will never receive again. A counter likewise: board_ticks. */
