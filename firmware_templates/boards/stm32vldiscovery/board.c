/* STM32VLDISCOVERY: STM32F100RB with an 8 MHz crystal. Register facts: ST
 * RM0041. */
#include "board.h"
#include "counter.h"
#include "stm32.h"
#include "uart.h"

#define RCC_BASE               0x40021000u
#define RCC_CR                 CORTEX_M_REGISTER(RCC_BASE + 0x00u)
#define RCC_CFGR               CORTEX_M_REGISTER(RCC_BASE + 0x04u)
#define RCC_APB2ENR            CORTEX_M_REGISTER(RCC_BASE + 0x18u)
#define CFGR_SW_PLL            2u
#define CFGR_STATUS_SHIFT      2u
#define CFGR_PLL_SOURCE_HSE    (1u << 16)
#define CFGR_PLL_TIMES(factor) (((factor)-2u) << 18)
#define APB2ENR_GPIOA          (1u << 2)
#define APB2ENR_USART1         (1u << 14)

#define GPIOA_BASE            0x40010800u
#define GPIOA_CRH             CORTEX_M_REGISTER(GPIOA_BASE + 0x04u)
#define GPIOA_BSRR            CORTEX_M_REGISTER(GPIOA_BASE + 0x10u)
#define PIN_TX                9u
#define PIN_RX                10u
#define MODE_MASK             15u
#define MODE_ALTERNATE_OUTPUT 11u /* push-pull */
#define MODE_INPUT_PULLED     8u  /* to what the output register says */

/* 24 MHz from the crystal, or from half of the internal 8 MHz where the crystal
 * does not start: 1 % off, near enough for the UART. The flash needs no wait
 * states, and every bus may run as fast. */
static void start_clocks(void)
{
    if (RCC_CR == 0) {
        return; /* on the part HSION is set after reset: an emulator without RCC,
                   already at speed */
    }
    const bool crystal = stm32_start_crystal(&RCC_CR, 0);
    RCC_CFGR = crystal ? (CFGR_PLL_SOURCE_HSE | CFGR_PLL_TIMES(3u)) : CFGR_PLL_TIMES(6u);
    stm32_start_pll(&RCC_CR);
    stm32_select_clock(&RCC_CFGR, CFGR_SW_PLL, CFGR_STATUS_SHIFT);
}

static uint32_t pin_mode(uint32_t pin, uint32_t mode)
{
    return mode << (4u * (pin - 8u));
}

static void start_wire(void)
{
    RCC_APB2ENR |= APB2ENR_GPIOA | APB2ENR_USART1;
    (void)RCC_APB2ENR;         /* a read back: the peripheral needs two cycles after its
                                  clock is on */
    GPIOA_BSRR = 1u << PIN_RX; /* pulled up: an open wire is silent, not noise */
    GPIOA_CRH = (GPIOA_CRH & ~(pin_mode(PIN_TX, MODE_MASK) | pin_mode(PIN_RX, MODE_MASK))) |
                pin_mode(PIN_TX, MODE_ALTERNATE_OUTPUT) | pin_mode(PIN_RX, MODE_INPUT_PULLED);
    uart_start(BOARD_CLOCK_HZ);
}

void board_init(void)
{
    start_clocks();
    start_wire();
    counter_start();
}
