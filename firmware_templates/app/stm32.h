/* What ST's STM32 families have in common: where the clock control has the bits of crystal and PLL
 * (F1, F4, L4, G0, H7: RM0041, RM0090, RM0432, RM0444, RM0433, each in its chapter "RCC"), and the
 * pins' registers (all of these but F1: chapter "GPIO"). */
#ifndef STM32_H
#define STM32_H

#include "cortex_m.h"

#define STM32_CR_HSEON  (1u << 16)
#define STM32_CR_HSERDY (1u << 17)
#define STM32_CR_PLLON  (1u << 24)
#define STM32_CR_PLLRDY (1u << 25)

/* Start the crystal, or what feeds its pin with `bypass`. False where nothing swings there. */
static inline bool stm32_start_crystal(volatile uint32_t *rcc_cr, uint32_t bypass)
{
    *rcc_cr |= bypass;
    *rcc_cr |= STM32_CR_HSEON;
    return wait_for(rcc_cr, STM32_CR_HSERDY, STM32_CR_HSERDY);
}

static inline void stm32_start_pll(volatile uint32_t *rcc_cr)
{
    *rcc_cr |= STM32_CR_PLLON;
    (void)wait_for(rcc_cr, STM32_CR_PLLRDY, STM32_CR_PLLRDY);
}

/* Run from the clock `source` of RCC_CFGR, whose status stands `status_shift` bits above. */
static inline void stm32_select_clock(volatile uint32_t *rcc_cfgr, uint32_t source,
                                      uint32_t status_shift)
{
    const uint32_t mask = (1u << status_shift) - 1u;
    *rcc_cfgr = (*rcc_cfgr & ~mask) | source;
    (void)wait_for(rcc_cfgr, mask << status_shift, source << status_shift);
}

#define STM32_GPIO_MODER(port)    CORTEX_M_REGISTER((port) + 0x00u)
#define STM32_GPIO_PUPDR(port)    CORTEX_M_REGISTER((port) + 0x0Cu)
#define STM32_GPIO_AFR(port, pin) CORTEX_M_REGISTER((port) + 0x20u + 4u * ((pin) / 8u))
#define STM32_MODE_ALTERNATE      2u
#define STM32_PULL_UP             1u

static inline void stm32_pin(uint32_t port, uint32_t pin, uint32_t function)
{
    const uint32_t place = 4u * (pin % 8u);
    STM32_GPIO_AFR(port, pin) = (STM32_GPIO_AFR(port, pin) & ~(15u << place)) | (function << place);
    STM32_GPIO_MODER(port) =
        (STM32_GPIO_MODER(port) & ~(3u << (2u * pin))) | (STM32_MODE_ALTERNATE << (2u * pin));
}

/* Give a UART two pins of one port by their alternate function. An open wire is silent, not noise.
 */
static inline void stm32_uart_pins(uint32_t port, uint32_t tx, uint32_t rx, uint32_t function)
{
    STM32_GPIO_PUPDR(port) =
        (STM32_GPIO_PUPDR(port) & ~(3u << (2u * rx))) | (STM32_PULL_UP << (2u * rx));
    stm32_pin(port, tx, function);
    stm32_pin(port, rx, function);
}

#endif
