/* Netduino Plus 2: STM32F405RG with a 25 MHz crystal. Register facts: ST RM0090. */
#include "board.h"
#include "counter.h"
#include "stm32.h"
#include "uart.h"

#define RCC_BASE           0x40023800u
#define RCC_CR             CORTEX_M_REGISTER(RCC_BASE + 0x00u)
#define RCC_PLLCFGR        CORTEX_M_REGISTER(RCC_BASE + 0x04u)
#define RCC_CFGR           CORTEX_M_REGISTER(RCC_BASE + 0x08u)
#define RCC_AHB1ENR        CORTEX_M_REGISTER(RCC_BASE + 0x30u)
#define RCC_APB2ENR        CORTEX_M_REGISTER(RCC_BASE + 0x44u)
#define CFGR_SW_PLL        2u
#define CFGR_STATUS_SHIFT  2u
#define CFGR_PPRE1_DIV4    (5u << 10)
#define CFGR_PPRE2_DIV2    (4u << 13)
#define PLLCFGR_SOURCE_HSE (1u << 22)
#define AHB1ENR_GPIOB      (1u << 1)
#define APB2ENR_USART1     (1u << 4)

/* The input is divided to 1 MHz, multiplied to 336 MHz, halved to 168 MHz; 48 MHz for USB is Q. */
#define PLL_FACTORS(m) ((m) | (336u << 6) | (0u << 16) | (7u << 24))
#define HSE_MHZ        25u
#define HSI_MHZ        16u

#define FLASH_ACR             CORTEX_M_REGISTER(0x40023C00u)
#define ACR_5_WAIT_STATES     5u /* 168 MHz at 2.7 V to 3.6 V: RM0090 3.5.1 */
#define ACR_PREFETCH          (1u << 8)
#define ACR_INSTRUCTION_CACHE (1u << 9)
#define ACR_DATA_CACHE        (1u << 10)

#define GPIOB_BASE 0x40020400u
#define PIN_TX     6u
#define PIN_RX     7u
#define AF_USART1  7u

/* 168 MHz from the crystal, or from the internal oscillator where the crystal does not start: 1 %
 * off, near enough for the UART. */
static void start_clocks(void)
{
    if (RCC_CR == 0) {
        return; /* on the part HSION is set after reset: an emulator without RCC, already at speed
                 */
    }
    const bool crystal = stm32_start_crystal(&RCC_CR, 0);
    RCC_PLLCFGR = crystal ? (PLL_FACTORS(HSE_MHZ) | PLLCFGR_SOURCE_HSE) : PLL_FACTORS(HSI_MHZ);
    stm32_start_pll(&RCC_CR);
    FLASH_ACR = ACR_5_WAIT_STATES | ACR_PREFETCH | ACR_INSTRUCTION_CACHE | ACR_DATA_CACHE;
    RCC_CFGR = CFGR_PPRE1_DIV4 | CFGR_PPRE2_DIV2;
    stm32_select_clock(&RCC_CFGR, CFGR_SW_PLL, CFGR_STATUS_SHIFT);
}

static void start_wire(void)
{
    RCC_AHB1ENR |= AHB1ENR_GPIOB;
    RCC_APB2ENR |= APB2ENR_USART1;
    (void)RCC_APB2ENR; /* a read back: the peripheral needs two cycles after its clock is on */
    stm32_uart_pins(GPIOB_BASE, PIN_TX, PIN_RX, AF_USART1);
    uart_start(BOARD_CLOCK_HZ / 2u); /* APB2 is half */
}

void board_init(void)
{
    start_clocks();
    start_wire();
    counter_start();
}
