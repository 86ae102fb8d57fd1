/* The UART of Arm's FPGA boards: Cortex-M System Design Kit TRM (DDI 0479), 4.3 "APB UART". */
#include "board.h"
#include "cortex_m.h"
#include "uart.h"

#define UART_DATA      CORTEX_M_REGISTER(BOARD_UART_BASE + 0x00u)
#define UART_STATE     CORTEX_M_REGISTER(BOARD_UART_BASE + 0x04u)
#define UART_CTRL      CORTEX_M_REGISTER(BOARD_UART_BASE + 0x08u)
#define UART_BAUDDIV   CORTEX_M_REGISTER(BOARD_UART_BASE + 0x10u)
#define STATE_TX_FULL  (1u << 0)
#define STATE_RX_FULL  (1u << 1)
#define CTRL_TX_ENABLE (1u << 0)
#define CTRL_RX_ENABLE (1u << 1)

#define FRAME_BITS 10u

void uart_start(uint32_t clock_hz)
{
    UART_BAUDDIV = clock_hz / BOARD_UART_BAUD;
    UART_CTRL = CTRL_TX_ENABLE | CTRL_RX_ENABLE;
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

void uart_drain(void)
{
    while ((UART_STATE & STATE_TX_FULL) != 0) {
    }
    /* The shift register cannot be seen: wait a frame. A read takes more than one of its clocks. */
    for (uint32_t i = FRAME_BITS * UART_BAUDDIV; i > 0; i--) {
        (void)UART_STATE;
    }
}
