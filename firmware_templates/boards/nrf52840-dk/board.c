/* Nordic nRF52840-DK. Register facts: nRF52840 Product Specification 1.7; pins: the kit's User
 * Guide. */
#include "board.h"
#include "counter.h"
#include "nrf.h"
#include "uart.h"

#define UART_CLOCK_HZ 16000000u
#define PIN_TX        6u
#define PIN_RX        8u

#define NVMC_ICACHECNF   CORTEX_M_REGISTER(0x4001E540u)
#define ICACHECNF_ENABLE (1u << 0)

void board_init(void)
{
    nrf_start_crystal();
    NVMC_ICACHECNF = ICACHECNF_ENABLE; /* the flash alone makes the core wait two cycles */
    nrf_uart_pins(PIN_TX, PIN_RX);
    uart_start(UART_CLOCK_HZ);
    counter_start();
}
