/* ST NUCLEO-L4R5ZI: STM32L4R5ZI at 120 MHz from its internal oscillator. Register facts: ST RM0432;
 * which pins the ST-LINK's serial port has: UM2179. */
#include "board.h"
#include "counter.h"
#include "stm32.h"
#include "uart.h"

#define RCC_CR            CORTEX_M_REGISTER(0x40021000u)
#define RCC_CFGR          CORTEX_M_REGISTER(0x40021008u)
#define RCC_PLLCFGR       CORTEX_M_REGISTER(0x4002100Cu)
#define RCC_AHB2ENR       CORTEX_M_REGISTER(0x4002104Cu)
#define RCC_APB1ENR1      CORTEX_M_REGISTER(0x40021058u)
#define RCC_APB1ENR2      CORTEX_M_REGISTER(0x4002105Cu)
#define CR_HSION          (1u << 8)
#define CR_HSIRDY         (1u << 10)
#define CFGR_SW_PLL       3u
#define CFGR_STATUS_SHIFT 2u
#define CFGR_HPRE_MASK    (15u << 4)
#define CFGR_HPRE_DIV2    (8u << 4)
#define AHB2ENR_GPIOG     (1u << 6)
#define APB1ENR1_PWR      (1u << 28)
#define APB1ENR2_LPUART1  (1u << 0)

/* 16 MHz of HSI16, times 15, halved: 120 MHz on output R. */
#define PLLCFGR_SOURCE_HSI16 2u
#define PLLCFGR_M(divisor)   (((divisor)-1u) << 4)
#define PLLCFGR_N(factor)    ((factor) << 8)
#define PLLCFGR_R_DIV2       (0u << 25)
#define PLLCFGR_R_ON         (1u << 24)

#define PWR_CR2         CORTEX_M_REGISTER(0x40007004u)
#define PWR_SR2         CORTEX_M_REGISTER(0x40007014u)
#define PWR_CR5         CORTEX_M_REGISTER(0x40007080u)
#define CR2_IOSV        (1u << 9)
#define SR2_VOSF        (1u << 10)
#define CR5_R1MODE      (1u << 8) /* 0: boost, for more than 80 MHz */
#define FLASH_ACR       CORTEX_M_REGISTER(0x40022000u)
#define ACR_WAIT_STATES 5u /* up to 120 MHz in range 1 boost: RM0432 3.3.3 */
#define ACR_LATENCY     15u
#define ACR_PREFETCH    (1u << 8)
#define ACR_CACHES      (3u << 9)

#define GPIOG_BASE 0x48001800u
#define PIN_TX     7u
#define PIN_RX     8u
#define AF_LPUART1 8u

#define MICROSECOND_POLLS 60u /* of the divided clock, each of them some cycles */

static void set_voltage(void)
{
    RCC_APB1ENR1 |= APB1ENR1_PWR;
    (void)RCC_APB1ENR1;
    PWR_CR5 &= ~CR5_R1MODE;
    (void)wait_for(&PWR_SR2, SR2_VOSF, 0);
    PWR_CR2 |= CR2_IOSV; /* port G has a supply of its own, which must be declared there */
}

/* To more than 80 MHz by way of half of it for a microsecond: RM0432 5.1.8. */
static void start_clocks(void)
{
    RCC_CR |= CR_HSION;
    (void)wait_for(&RCC_CR, CR_HSIRDY, CR_HSIRDY);
    RCC_PLLCFGR =
        PLLCFGR_SOURCE_HSI16 | PLLCFGR_M(1u) | PLLCFGR_N(15u) | PLLCFGR_R_DIV2 | PLLCFGR_R_ON;
    stm32_start_pll(&RCC_CR);
    FLASH_ACR = (FLASH_ACR & ~ACR_LATENCY) | ACR_WAIT_STATES | ACR_PREFETCH | ACR_CACHES;
    (void)wait_for(&FLASH_ACR, ACR_LATENCY, ACR_WAIT_STATES);
    RCC_CFGR = (RCC_CFGR & ~CFGR_HPRE_MASK) | CFGR_HPRE_DIV2;
    stm32_select_clock(&RCC_CFGR, CFGR_SW_PLL, CFGR_STATUS_SHIFT);
    for (uint32_t i = MICROSECOND_POLLS; i > 0; i--) {
        (void)RCC_CFGR;
    }
    RCC_CFGR &= ~CFGR_HPRE_MASK;
}

static void start_wire(void)
{
    RCC_AHB2ENR |= AHB2ENR_GPIOG;
    RCC_APB1ENR2 |= APB1ENR2_LPUART1;
    (void)RCC_APB1ENR2; /* a read back: the peripheral needs two cycles after its clock is on */
    stm32_uart_pins(GPIOG_BASE, PIN_TX, PIN_RX, AF_LPUART1);
    uart_start(BOARD_CLOCK_HZ);
}

void board_init(void)
{
    set_voltage();
    start_clocks();
    start_wire();
    counter_start();
}
