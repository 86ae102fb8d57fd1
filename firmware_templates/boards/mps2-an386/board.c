/* Arm MPS2 with AN386: clocks as the FPGA image leaves them. */
#include "board.h"
#include "cortex_m.h"
#include "uart.h"

void board_init(void)
{
    uart_start(BOARD_CLOCK_HZ);
    systick_start();
}

uint64_t board_ticks(void)
{
    return systick_ticks();
}

_Noreturn void board_reset(void)
{
    uart_drain();
    cortex_m_reset();
}
