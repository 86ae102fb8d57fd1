/* What all Cortex-M boards share: the core's own registers, start-up, counter and stack. */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include <stdbool.h>
#include <stdint.h>

/* Armv7-M Architecture Reference Manual, B3.2 (system control), B3.3 (SysTick) and B3.5 (MPU).
 * Armv8-M has them at the same places; Armv6-M has no VTOR, CFSR, MMFAR, BFAR and CPACR. */
#define CORTEX_M_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SYST_CSR                   CORTEX_M_REGISTER(0xE000E010u)
#define SYST_RVR                   CORTEX_M_REGISTER(0xE000E014u)
#define SYST_CVR                   CORTEX_M_REGISTER(0xE000E018u)
#define SYST_CSR_ENABLE            (1u << 0)
#define SYST_CSR_TICKINT           (1u << 1)
#define SYST_CSR_CLKSOURCE_CORE    (1u << 2)
#define SCB_ICSR                   CORTEX_M_REGISTER(0xE000ED04u)
#define SCB_ICSR_PENDSTSET         (1u << 26)
#define SCB_VTOR                   CORTEX_M_REGISTER(0xE000ED08u)
#define SCB_AIRCR                  CORTEX_M_REGISTER(0xE000ED0Cu)
#define SCB_CCR                    CORTEX_M_REGISTER(0xE000ED14u)
#define SCB_CFSR                   CORTEX_M_REGISTER(0xE000ED28u)
#define SCB_MMFAR                  CORTEX_M_REGISTER(0xE000ED34u)
#define SCB_BFAR                   CORTEX_M_REGISTER(0xE000ED38u)
#define SCB_CPACR                  CORTEX_M_REGISTER(0xE000ED88u)
#define MPU_TYPE                   CORTEX_M_REGISTER(0xE000ED90u)
#define MPU_CTRL                   CORTEX_M_REGISTER(0xE000ED94u)
#define MPU_RNR                    CORTEX_M_REGISTER(0xE000ED98u)
#define MPU_RBAR                   CORTEX_M_REGISTER(0xE000ED9Cu)
#define MPU_RASR                   CORTEX_M_REGISTER(0xE000EDA0u)

/* Poll a register until its bits in `mask` are `value`. False if that takes longer than anything
 * that works: some 50 ms at 16 MHz, and a crystal needs 2. */
static inline bool wait_for(const volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
    for (uint32_t polls = 1000000u; polls > 0; polls--) {
        if ((*reg & mask) == value) {
            return true;
        }
    }
    return false;
}

/* Made by the linker script. Only their addresses mean something. */
extern uint32_t __stack_limit[];
extern uint32_t __stack_top[];

/* Fill the unused stack with a pattern. For the start-up code, before main. */
void stack_paint(void);

/* Forbid the STACK_GUARD_BYTES below the stack, so that overflowing it is a fault at once. */
#define STACK_GUARD_BYTES 4096u
void stack_guard(void);

/* Report the exception that is being handled over the board's wire, and reset. */
_Noreturn void fault_report(const uint32_t *frame);
void fault_handler(void); /* for the vector table: finds the frame, calls fault_report */

_Noreturn void cortex_m_reset(void);

#endif
