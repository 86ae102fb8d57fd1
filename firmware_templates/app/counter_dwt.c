/* Cycles of the core from the debug unit's counter (Armv7-M ARM, C1.8 "The Data Watchpoint and
 * Trace unit"; Armv8-M ARM, B14). It has 32 bits, which at 480 MHz wrap after 9 s: SysTick, each
 * 2^24 cycles, sees to it that no wrap is missed. */
#include "board.h"
#include "cortex_m.h"
#include "counter.h"

#define DWT_CTRL        CORTEX_M_REGISTER(0xE0001000u)
#define DWT_CYCCNT      CORTEX_M_REGISTER(0xE0001004u)
#define DWT_LAR         CORTEX_M_REGISTER(0xE0001FB0u)
#define CTRL_CYCCNTENA  (1u << 0)
#define LAR_UNLOCK      0xC5ACCE55u /* Cortex-M7 alone has the lock */
#define SCB_DEMCR       CORTEX_M_REGISTER(0xE000EDFCu)
#define DEMCR_TRCENA    (1u << 24)
#define SYSTICK_LONGEST 0x00FFFFFFu

static volatile uint32_t last;
static volatile uint32_t wraps;

/* In the exception alone, so that nothing comes between its reads and its writes. */
void counter_wrapped(void)
{
    const uint32_t now = DWT_CYCCNT;
    if (now < last) {
        wraps++;
    }
    last = now;
}

void counter_start(void)
{
    SCB_DEMCR |= DEMCR_TRCENA;
    DWT_LAR = LAR_UNLOCK;
    DWT_CYCCNT = 0;
    DWT_CTRL |= CTRL_CYCCNTENA;
    last = 0;
    wraps = 0;
    SYST_RVR = SYSTICK_LONGEST;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CLKSOURCE_CORE;
}

uint64_t board_ticks(void)
{
    uint32_t count;
    uint32_t before;
    uint32_t now;
    do { /* again where the exception came in between */
        count = wraps;
        before = last;
        now = DWT_CYCCNT;
    } while (count != wraps || before != last);
    if (now < before) {
        count++; /* wrapped since the exception last looked */
    }
    return ((uint64_t)count << 32) | now;
}
