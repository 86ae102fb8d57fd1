/* A 56-bit tick counter: SysTick's 24 bits on the core clock, and an exception for each wrap. */
#include "board.h"
#include "cortex_m.h"
#include "counter.h"

#define COUNTER_BITS 24
#define COUNTER_MASK ((1u << COUNTER_BITS) - 1u)

static volatile uint32_t wraps;

void counter_wrapped(void)
{
    wraps++;
}

void counter_start(void)
{
    wraps = 0;
    SYST_RVR = COUNTER_MASK;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CLKSOURCE_CORE;
    while (SYST_CVR == 0) {
        /* until the first clock loads it */
    }
}

uint64_t board_ticks(void)
{
    uint32_t count;
    uint32_t value;
    bool pending;
    /* The counter runs down and pends its exception on reaching 0, where a period therefore begins.
     * At 0 itself the exception may or may not have been taken yet: read again. */
    do {
        count = wraps;
        value = SYST_CVR;
        pending = (SCB_ICSR & SCB_ICSR_PENDSTSET) != 0;
    } while (value == 0 || count != wraps);
    const uint32_t phase = (0u - value) & COUNTER_MASK;
    /* Pending, and read after the wrap: the handler is blocked or about to run. */
    if (pending && phase < COUNTER_MASK / 2u) {
        count++;
    }
    return ((uint64_t)count << COUNTER_BITS) + phase;
}
