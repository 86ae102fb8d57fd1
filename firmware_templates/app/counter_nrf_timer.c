/* TIMER0 of Nordic's nRF51, undivided: 16 MHz. The Cortex-M0 of the nRF51 has no SysTick. Register
 * facts: nRF51 Series Reference Manual 3.0, 18. */
#include "board.h"
#include "counter.h"
#include "nrf.h"

#define TIMER0_BASE           0x40008000u
#define TIMER0_TASKS_START    CORTEX_M_REGISTER(TIMER0_BASE + 0x000u)
#define TIMER0_TASKS_CLEAR    CORTEX_M_REGISTER(TIMER0_BASE + 0x00Cu)
#define TIMER0_TASKS_CAPTURE0 CORTEX_M_REGISTER(TIMER0_BASE + 0x040u)
#define TIMER0_BITMODE        CORTEX_M_REGISTER(TIMER0_BASE + 0x508u)
#define TIMER0_PRESCALER      CORTEX_M_REGISTER(TIMER0_BASE + 0x510u)
#define TIMER0_CC0            CORTEX_M_REGISTER(TIMER0_BASE + 0x540u)
#define BITMODE_32            3u

void counter_start(void)
{
    TIMER0_BITMODE = BITMODE_32;
    TIMER0_PRESCALER = 0;
    TIMER0_TASKS_CLEAR = NRF_START;
    TIMER0_TASKS_START = NRF_START;
}

/* 32 bits wrap after 268 s, longer than any request takes, and the UART's driver asks for the time
 * whenever it looks for a byte; the upper half is counted here. */
uint64_t board_ticks(void)
{
    static uint32_t wraps;
    static uint32_t last;
    TIMER0_TASKS_CAPTURE0 = NRF_START;
    const uint32_t now = TIMER0_CC0;
    if (now < last) {
        wraps++;
    }
    last = now;
    return ((uint64_t)wraps << 32) | now;
}
