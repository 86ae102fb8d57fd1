/* ST NUCLEO-G071RB: STM32G071RB at 64 MHz from its internal oscillator. Register facts: ST RM0444;
 * which pins the ST-LINK's serial port has: UM2324. */
#include "board.h"
#include "counter.h"
#include "stm32.h"
#include "uart.h"

#define RCC_CR            CORTEX_M_REGISTER(0x40021000u)
#define RCC_CFGR          CORTEX_M_REGISTER(0x40021008u)
#define RCC_PLLCFGR       CORTEX_M_REGISTER(0x4002100Cu)
#define RCC_IOPENR        CORTEX_M_REGISTER(0x40021034u)
#define RCC_APBENR1       CORTEX_M_REGISTER(0x4002103Cu)
#define CFGR_SW_PLLR      2u
#define CFGR_STATUS_SHIFT 3u
#define IOPENR_GPIOA      (1u << 0)
#define APBENR1_USART2    (1u << 17)

/* 16 MHz of HSI16, which runs after reset, times 8, halved: 64 MHz on output R. */
#define PLLCFGR_SOURCE_HSI16 2u
#define PLLCFGR_M(divisor)   (((divisor)-1u) << 4)
#define PLLCFGR_N(factor)    ((factor) << 8)
#define PLLCFGR_R_ON         (1u << 28)
#define PLLCFGR_R(divisor)   (((divisor)-1u) << 29)

#define FLASH_ACR       CORTEX_M_REGISTER(0x40022000u)
#define ACR_WAIT_STATES 2u /* up to 64 MHz in range 1: RM0444 3.3.4 */
#define ACR_LATENCY     7u
#define ACR_PREFETCH    (1u << 8)
#define ACR_CACHE       (1u << 9)

#define GPIOA_BASE 0x50000000u
#define PIN_TX     2u
#define PIN_RX     3u
#define AF_USART2  1u

static void start_clocks(void)
{
    RCC_PLLCFGR =
        PLLCFGR_SOURCE_HSI16 | PLLCFGR_M(1u) | PLLCFGR_N(8u) | PLLCFGR_R(2u) | PLLCFGR_R_ON;
    stm32_start_pll(&RCC_CR);
    FLASH_ACR = (FLASH_ACR & ~ACR_LATENCY) | ACR_WAIT_STATES | ACR_PREFETCH | ACR_CACHE;
    (void)wait_for(&FLASH_ACR, ACR_LATENCY, ACR_WAIT_STATES);
    stm32_select_clock(&RCC_CFGR, CFGR_SW_PLLR, CFGR_STATUS_SHIFT);
}

static void start_wire(void)
{
    RCC_IOPENR |= IOPENR_GPIOA;
    RCC_APBENR1 |= APBENR1_USART2;
    (void)RCC_APBENR1; /* a read back: the peripheral needs two cycles after its clock is on */
    stm32_uart_pins(GPIOA_BASE, PIN_TX, PIN_RX, AF_USART2);
    uart_start(BOARD_CLOCK_HZ);
}

void board_init(void)
{
    start_clocks();
    start_wire();
    counter_start();
}
