/* A board whose folder has no C: its clocks are as they should be, and the UART has the core's. */
#include "board.h"
#include "counter.h"
#include "uart.h"

void board_init(void)
{
    uart_start(BOARD_CLOCK_HZ);
    counter_start();
}
