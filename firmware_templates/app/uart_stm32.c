/* The USART of STM32F1, F2 and F4: ST RM0041 23.6, RM0090 30.6. */
#include "board.h"
#include "cortex_m.h"
#include "uart.h"

#define USART_SR  CORTEX_M_REGISTER(BOARD_UART_BASE + 0x00u)
#define USART_DR  CORTEX_M_REGISTER(BOARD_UART_BASE + 0x04u)
#define USART_BRR CORTEX_M_REGISTER(BOARD_UART_BASE + 0x08u)
#define USART_CR1 CORTEX_M_REGISTER(BOARD_UART_BASE + 0x0Cu)
#define SR_ORE    (1u << 3)
#define SR_RXNE   (1u << 5)
#define SR_TC     (1u << 6)
#define SR_TXE    (1u << 7)
#define CR1_RE    (1u << 2)
#define CR1_TE    (1u << 3)
#define CR1_UE    (1u << 13)

void uart_start(uint32_t clock_hz)
{
    USART_BRR = (clock_hz + BOARD_UART_BAUD / 2u) / BOARD_UART_BAUD;
    USART_CR1 = CR1_UE | CR1_TE | CR1_RE;
}

bool board_read(uint8_t *byte)
{
    /* Overrun is cleared by this very sequence, status then data; the CRC finds the lost byte. */
    if ((USART_SR & (SR_RXNE | SR_ORE)) == 0) {
        return false;
    }
    *byte = (uint8_t)USART_DR;
    return true;
}

void board_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while ((USART_SR & SR_TXE) == 0) {
        }
        USART_DR = bytes[i];
    }
}

void uart_drain(void)
{
    while ((USART_SR & SR_TC) == 0) {
    }
}
