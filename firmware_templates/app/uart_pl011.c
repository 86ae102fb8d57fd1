/* Arm's PrimeCell UART PL011: DDI 0183. */
#include "board.h"
#include "cortex_m.h"
#include "uart.h"

#define UART_DR       CORTEX_M_REGISTER(BOARD_UART_BASE + 0x00u)
#define UART_FR       CORTEX_M_REGISTER(BOARD_UART_BASE + 0x18u)
#define UART_IBRD     CORTEX_M_REGISTER(BOARD_UART_BASE + 0x24u)
#define UART_FBRD     CORTEX_M_REGISTER(BOARD_UART_BASE + 0x28u)
#define UART_LCRH     CORTEX_M_REGISTER(BOARD_UART_BASE + 0x2Cu)
#define UART_CTL      CORTEX_M_REGISTER(BOARD_UART_BASE + 0x30u)
#define FR_BUSY       (1u << 3)
#define FR_RX_EMPTY   (1u << 4)
#define FR_TX_FULL    (1u << 5)
#define LCRH_FIFO     (1u << 4)
#define LCRH_8_BITS   (3u << 5)
#define CTL_ENABLE    (1u << 0)
#define CTL_TX_ENABLE (1u << 8)
#define CTL_RX_ENABLE (1u << 9)

void uart_start(uint32_t clock_hz)
{
    /* A bit takes 16 x divisor clocks; the divisor is set in 64ths. */
    const uint32_t divisor = (clock_hz * 4u + BOARD_UART_BAUD / 2u) / BOARD_UART_BAUD;
    UART_CTL = 0;
    UART_IBRD = divisor / 64u;
    UART_FBRD = divisor % 64u;
    UART_LCRH = LCRH_8_BITS | LCRH_FIFO; /* after the divisor, which it puts into force */
    UART_CTL = CTL_ENABLE | CTL_TX_ENABLE | CTL_RX_ENABLE;
}

bool board_read(uint8_t *byte)
{
    if ((UART_FR & FR_RX_EMPTY) != 0) {
        return false;
    }
    *byte = (uint8_t)UART_DR; /* with errors above its 8 bits; the CRC finds what they spoil */
    return true;
}

void board_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while ((UART_FR & FR_TX_FULL) != 0) {
        }
        UART_DR = bytes[i];
    }
}

void uart_drain(void)
{
    while ((UART_FR & FR_BUSY) != 0) {
    }
}
