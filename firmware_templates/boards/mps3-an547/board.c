/* Arm MPS3 with AN547: clocks as the FPGA image leaves them. */
#include "board.h"
#include "counter.h"
#include "uart.h"

#define PERIPHERAL_CLOCK_HZ 25000000u /* the core alone has 32 MHz: AN547, "Clocks" */

void board_init(void)
{
    uart_start(PERIPHERAL_CLOCK_HZ);
    counter_start();
}
