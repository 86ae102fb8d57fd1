/* A 56-bit tick counter: SysTick's 24 bits on the core clock, and an exception for each wrap. */
#include <stdbool.h>

#include "cortex_m.h"

#define CSR_ENABLE         (1u << 0)
#define CSR_TICKINT        (1u << 1)
#define CSR_CLKSOURCE_CORE (1u << 2)
#define ICSR_PENDSTSET     (1u << 26)

#define COUNTER_BITS 24
#define COUNTER_MASK ((1u << COUNTER_BITS) - 1u)

static volatile uint32_t wraps;

void systick_wrapped(void)
{
    wraps++;
}

void systick_start(void)
{
    wraps = 0;
    SYST_RVR = COUNTER_MASK;
    SYST_CVR = 0;
    SYST_CSR = CSR_ENABLE | CSR_TICKINT | CSR_CLKSOURCE_CORE;
    while (SYST_CVR == 0) {
        /* until the first clock loads it */
    }
}

uint64_t systick_ticks(void)
{
    uint32_t count;
    uint32_t value;
    bool pending;
    /* The counter runs down and pends its exception on reaching 0, where a period therefore begins.
     * At 0 itself the exception may or may not have been taken yet: read again. */
    do {
        count = wraps;
        value = SYST_CVR;
        pending = (SCB_ICSR & ICSR_PENDSTSET) != 0;
    } while (value == 0 || count != wraps);
    const uint32_t phase = (0u - value) & COUNTER_MASK;
    /* Pending, and read after the wrap: the handler is blocked or about to run. */
    if (pending && phase < COUNTER_MASK / 2u) {
        count++;
    }
    return ((uint64_t)count << COUNTER_BITS) + phase;
}
