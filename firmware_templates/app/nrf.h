/* What Nordic's nRF51 and nRF52 have in common: tasks, events, the crystal, pins. Register facts:
 * nRF51 Series Reference Manual 3.0; nRF52840 Product Specification 1.7. */
#ifndef NRF_H
#define NRF_H

#include "cortex_m.h"

/* A task is started by writing 1; an event reads 1 once it happened, until 0 is written. */
#define NRF_START   1u
#define NRF_CLEARED 0u

#define NRF_CLOCK_TASKS_HFCLKSTART    CORTEX_M_REGISTER(0x40000000u)
#define NRF_CLOCK_EVENTS_HFCLKSTARTED CORTEX_M_REGISTER(0x40000100u)

#define NRF_P0_OUTSET               CORTEX_M_REGISTER(0x50000508u)
#define NRF_P0_DIRSET               CORTEX_M_REGISTER(0x50000518u)
#define NRF_P0_PIN_CNF(pin)         CORTEX_M_REGISTER(0x50000700u + 4u * (pin))
#define NRF_PIN_CNF_INPUT_PULLED_UP (3u << 2)

#define NRF_UART_PSELTXD CORTEX_M_REGISTER(BOARD_UART_BASE + 0x50Cu)
#define NRF_UART_PSELRXD CORTEX_M_REGISTER(BOARD_UART_BASE + 0x514u)

/* The UART's and the counter's precision: the internal oscillator, which starts first, is 1 % off
 * and more. */
static inline void nrf_start_crystal(void)
{
    NRF_CLOCK_EVENTS_HFCLKSTARTED = NRF_CLEARED;
    NRF_CLOCK_TASKS_HFCLKSTART = NRF_START;
    (void)wait_for(&NRF_CLOCK_EVENTS_HFCLKSTARTED, 1u, 1u);
}

/* Give the UART its two pins of port 0. An open wire is silent, not noise. */
static inline void nrf_uart_pins(uint32_t tx, uint32_t rx)
{
    NRF_P0_OUTSET = 1u << tx;
    NRF_P0_DIRSET = 1u << tx;
    NRF_P0_PIN_CNF(rx) = NRF_PIN_CNF_INPUT_PULLED_UP;
    NRF_UART_PSELTXD = tx;
    NRF_UART_PSELRXD = rx;
}

#endif
