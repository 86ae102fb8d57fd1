/* <Board>: <part>. Register facts: <manual and section>. */
#include "board.h"
#include "cortex_m.h"

/* The UART's registers, at BOARD_UART_BASE from board.toml. */
#define UART_STATUS     CORTEX_M_REGISTER(BOARD_UART_BASE + 0x00u)
#define UART_DATA       CORTEX_M_REGISTER(BOARD_UART_BASE + 0x04u)
#define STATUS_RECEIVED (1u << 5)
#define STATUS_MAY_SEND (1u << 7)

void board_init(void)
{
    /* 1. Clocks, until the core runs at BOARD_CLOCK_HZ. Bound every wait.
     * 2. Pins and UART: BOARD_UART_BAUD, 8 data bits, no parity, 1 stop bit.
     * 3. The counter. */
    systick_start();
}

/* Polled: the host never sends while the board is at work, so one byte of hardware buffer is
 * enough. Clear overrun errors here, or a UART that stops on one will never receive again. */
bool board_read(uint8_t *byte)
{
    if ((UART_STATUS & STATUS_RECEIVED) == 0) {
        return false;
    }
    *byte = (uint8_t)UART_DATA;
    return true;
}

/* Polled as well: a fault report must get out with interrupts off. */
void board_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while ((UART_STATUS & STATUS_MAY_SEND) == 0) {
        }
        UART_DATA = bytes[i];
    }
}

/* A faster or wider counter may take SysTick's place; state its rate in board.toml. */
uint64_t board_ticks(void)
{
    return systick_ticks();
}

/* Let the last byte leave the UART first. */
_Noreturn void board_reset(void)
{
    cortex_m_reset();
}
