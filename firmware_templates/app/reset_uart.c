/* How a Cortex-M whose wire is a UART with a driver starts again. */
#include "board.h"
#include "cortex_m.h"
#include "uart.h"

_Noreturn void board_reset(void)
{
    uart_drain();
    cortex_m_reset();
}
