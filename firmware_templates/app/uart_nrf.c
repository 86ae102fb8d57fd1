/* The UART without DMA of Nordic's nRF51 and nRF52: nRF51 Series Reference Manual 3.0, 29; nRF52840
 * Product Specification 1.7, 6.33. It runs from 16 MHz on both, whatever the core does. */
#include "board.h"
#include "nrf.h"
#include "uart.h"

#define UART_TASKS_STARTRX CORTEX_M_REGISTER(BOARD_UART_BASE + 0x000u)
#define UART_TASKS_STARTTX CORTEX_M_REGISTER(BOARD_UART_BASE + 0x008u)
#define UART_EVENTS_RXDRDY CORTEX_M_REGISTER(BOARD_UART_BASE + 0x108u)
#define UART_EVENTS_TXDRDY CORTEX_M_REGISTER(BOARD_UART_BASE + 0x11Cu)
#define UART_ENABLE        CORTEX_M_REGISTER(BOARD_UART_BASE + 0x500u)
#define UART_RXD           CORTEX_M_REGISTER(BOARD_UART_BASE + 0x518u)
#define UART_TXD           CORTEX_M_REGISTER(BOARD_UART_BASE + 0x51Cu)
#define UART_BAUDRATE      CORTEX_M_REGISTER(BOARD_UART_BASE + 0x524u)
#define UART_ENABLED       4u

/* 2^32 x baud / clock, of which the lower 12 bits are not there, to the nearest. Bit by bit: a
 * division of 64 bits is half a kilobyte of library. */
static uint32_t rate_of(uint32_t baud, uint32_t clock_hz)
{
    uint32_t rate = 0;
    for (uint32_t bit = 0; bit < 32u; bit++) {
        baud <<= 1;
        rate <<= 1;
        if (baud >= clock_hz) {
            baud -= clock_hz;
            rate |= 1u;
        }
    }
    return (rate + 0x800u) & 0xFFFFF000u;
}

void uart_start(uint32_t clock_hz)
{
    UART_BAUDRATE = rate_of(BOARD_UART_BAUD, clock_hz);
    UART_ENABLE = UART_ENABLED;
    UART_TASKS_STARTTX = NRF_START;
    UART_TASKS_STARTRX = NRF_START;
}

bool board_read(uint8_t *byte)
{
    (void)board_ticks(); /* a board that waits for its host must not miss the counter's wraps */
    if (UART_EVENTS_RXDRDY == 0) {
        return false;
    }
    UART_EVENTS_RXDRDY = NRF_CLEARED; /* first: reading takes the next of six bytes */
    *byte = (uint8_t)UART_RXD;
    return true;
}

void board_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        UART_EVENTS_TXDRDY = NRF_CLEARED;
        UART_TXD = bytes[i];
        while (UART_EVENTS_TXDRDY == 0) {
        }
    }
}

void uart_drain(void)
{
    /* board_write returned when its last byte had left */
}
