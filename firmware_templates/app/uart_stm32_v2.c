/* The USART of STM32G0, L4, H7 and their like. */
#include "stm32_usart.h"

void uart_start(uint32_t clock_hz)
{
    stm32_usart_start((clock_hz + BOARD_UART_BAUD / 2u) / BOARD_UART_BAUD);
}
