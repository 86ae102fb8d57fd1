/* The USART of the STM32 families since F0 (G0, L4, H7), and their LPUART, which differs in how
 * its rate is set: ST RM0444 33 and 34, RM0432 48 and 49, RM0433 48 and 49. */
#ifndef STM32_USART_H
#define STM32_USART_H

#include "board.h"
#include "cortex_m.h"
#include "uart.h"

#define USART_CR1 CORTEX_M_REGISTER(BOARD_UART_BASE + 0x00u)
#define USART_BRR CORTEX_M_REGISTER(BOARD_UART_BASE + 0x0Cu)
#define USART_ISR CORTEX_M_REGISTER(BOARD_UART_BASE + 0x1Cu)
#define USART_ICR CORTEX_M_REGISTER(BOARD_UART_BASE + 0x20u)
#define USART_RDR CORTEX_M_REGISTER(BOARD_UART_BASE + 0x24u)
#define USART_TDR CORTEX_M_REGISTER(BOARD_UART_BASE + 0x28u)
#define CR1_UE    (1u << 0)
#define CR1_RE    (1u << 2)
#define CR1_TE    (1u << 3)
#define ISR_ORE   (1u << 3)
#define ISR_RXNE  (1u << 5)
#define ISR_TC    (1u << 6)
#define ISR_TXE   (1u << 7)
#define ICR_ORECF (1u << 3)

static inline void stm32_usart_start(uint32_t divisor)
{
    USART_BRR = divisor;
    USART_CR1 = CR1_UE | CR1_TE | CR1_RE;
}

bool board_read(uint8_t *byte)
{
    const uint32_t status = USART_ISR;
    if ((status & ISR_ORE) != 0) {
        USART_ICR = ICR_ORECF; /* or it never receives again; the CRC finds the lost byte */
    }
    if ((status & ISR_RXNE) == 0) {
        return false;
    }
    *byte = (uint8_t)USART_RDR;
    return true;
}

void board_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while ((USART_ISR & ISR_TXE) == 0) {
        }
        USART_TDR = bytes[i];
    }
}

void uart_drain(void)
{
    while ((USART_ISR & ISR_TC) == 0) {
    }
}

#endif
