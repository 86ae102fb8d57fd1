/* Arm MPS2 with AN386: CMSDK APB UART, clocks as the FPGA image leaves them. */
#include "board.h"
#include "cortex_m.h"

/* Cortex-M System Design Kit TRM (DDI 0479), 4.3 "APB UART". */
#define UART_DATA CORTEX_M_REGISTER(BOARD_UART_BASE + 0x00u)
#define UART_STATE CORTEX_M_REGISTER(BOARD_UART_BASE + 0x04u)
#define UART_CTRL CORTEX_M_REGISTER(BOARD_UART_BASE + 0x08u)
#define UART_BAUDDIV CORTEX_M_REGISTER(BOARD_UART_BASE + 0x10u)
#define STATE_TX_FULL (1u << 0)
#define STATE_RX_FULL (1u << 1)
#define CTRL_TX_ENABLE (1u << 0)
#define CTRL_RX_ENABLE (1u << 1)

void board_init(void)
{
    UART_BAUDDIV = BOARD_CLOCK_HZ / BOARD_UART_BAUD;
    UART_CTRL = CTRL_TX_ENABLE | CTRL_RX_ENABLE;
    systick_start();
}

bool board_read(uint8_t *byte)
{
    if ((UART_STATE & STATE_RX_FULL) == 0) {
        return false;
    }
    *byte = (uint8_t)UART_DATA;
    return true;
}

void board_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while ((UART_STATE & STATE_TX_FULL) != 0) {
        }
        UART_DATA = bytes[i];
    }
}

uint64_t board_ticks(void)
{
    return systick_ticks();
}

_Noreturn void board_reset(void)
{
    cortex_m_reset();
}
