/* BBC micro:bit 1: nRF51822. */
#include "board.h"
#include "counter.h"
#include "nrf.h"
#include "uart.h"

#define UART_CLOCK_HZ 16000000u
#define PIN_TX        24u
#define PIN_RX        25u

void board_init(void)
{
    nrf_start_crystal();
    nrf_uart_pins(PIN_TX, PIN_RX);
    uart_start(UART_CLOCK_HZ);
    counter_start();
}
