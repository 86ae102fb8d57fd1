/* The LPUART of STM32G0, L4, H7 and their like: its rate is set in 256ths of a clock. */
#include "stm32_usart.h"

void uart_start(uint32_t clock_hz)
{
    const uint64_t clocks = 256u * (uint64_t)clock_hz;
    stm32_usart_start((uint32_t)((clocks + BOARD_UART_BAUD / 2u) / BOARD_UART_BAUD));
}
