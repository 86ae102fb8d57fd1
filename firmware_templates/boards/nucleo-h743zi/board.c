/* ST NUCLEO-H743ZI: STM32H743ZI at 400 MHz, which every revision of the part may run at, from the
 * ST-LINK's 8 MHz or, where they do not come, the internal 64 MHz. Register facts: ST RM0433; pins:
 * UM2407. */
#include "board.h"
#include "cortex_m7.h"
#include "counter.h"
#include "stm32.h"
#include "uart.h"

#define RCC_CR            CORTEX_M_REGISTER(0x58024400u)
#define RCC_CFGR          CORTEX_M_REGISTER(0x58024410u)
#define RCC_D1CFGR        CORTEX_M_REGISTER(0x58024418u)
#define RCC_D2CFGR        CORTEX_M_REGISTER(0x5802441Cu)
#define RCC_D3CFGR        CORTEX_M_REGISTER(0x58024420u)
#define RCC_PLLCKSELR     CORTEX_M_REGISTER(0x58024428u)
#define RCC_PLLCFGR       CORTEX_M_REGISTER(0x5802442Cu)
#define RCC_PLL1DIVR      CORTEX_M_REGISTER(0x58024430u)
#define RCC_AHB4ENR       CORTEX_M_REGISTER(0x580244E0u)
#define RCC_APB1LENR      CORTEX_M_REGISTER(0x580244E8u)
#define CR_HSEBYP         (1u << 18)
#define CFGR_SW_PLL1      3u
#define CFGR_STATUS_SHIFT 3u
#define AHB4ENR_GPIOD     (1u << 3)
#define APB1LENR_USART3   (1u << 18)

/* Divided to 8 MHz, times 100, halved: 400 MHz on output P. The buses have half, the slow ones a
 * quarter. */
#define PLLCKSELR_HSI      (0u | (8u << 4))
#define PLLCKSELR_HSE      (2u | (1u << 4))
#define PLLCFGR_8_TO_16MHZ (3u << 2)
#define PLLCFGR_P_ON       (1u << 16)
#define PLL1DIVR_FACTORS   ((100u - 1u) | ((2u - 1u) << 9) | ((2u - 1u) << 16) | ((2u - 1u) << 24))
#define D1CFGR_HALVES      ((8u << 0) | (4u << 4))
#define D2CFGR_HALVES      ((4u << 4) | (4u << 8))
#define D3CFGR_HALF        (4u << 4)
#define APB1_HZ            (BOARD_CLOCK_HZ / 4u)

#define PWR_CSR1      CORTEX_M_REGISTER(0x58024804u)
#define PWR_CR3       CORTEX_M_REGISTER(0x5802480Cu)
#define PWR_D3CR      CORTEX_M_REGISTER(0x58024818u)
#define CR3_SUPPLY    7u
#define CR3_LDO       (1u << 1)
#define CSR1_READY    (1u << 13)
#define D3CR_VOS1     (3u << 14)
#define D3CR_VOSREADY (1u << 13)

#define FLASH_ACR       CORTEX_M_REGISTER(0x52002000u)
#define ACR_AXI_200_MHZ (2u | (2u << 4)) /* two wait states, and their signal delay: 4.3.8 */
#define ACR_TIMING_MASK (15u | (3u << 4))

#define GPIOD_BASE 0x58020C00u
#define PIN_TX     8u
#define PIN_RX     9u
#define AF_USART3  7u

/* The supply is stated once after each power-up, before the voltage may be raised: RM0433 6.4.1. */
static void set_voltage(void)
{
    PWR_CR3 = (PWR_CR3 & ~CR3_SUPPLY) | CR3_LDO;
    (void)wait_for(&PWR_CSR1, CSR1_READY, CSR1_READY);
    PWR_D3CR |= D3CR_VOS1;
    (void)wait_for(&PWR_D3CR, D3CR_VOSREADY, D3CR_VOSREADY);
}

static void start_clocks(void)
{
    const bool fed = stm32_start_crystal(&RCC_CR, CR_HSEBYP);
    RCC_PLLCKSELR = fed ? PLLCKSELR_HSE : PLLCKSELR_HSI;
    RCC_PLLCFGR = PLLCFGR_8_TO_16MHZ | PLLCFGR_P_ON;
    RCC_PLL1DIVR = PLL1DIVR_FACTORS;
    stm32_start_pll(&RCC_CR);
    FLASH_ACR = ACR_AXI_200_MHZ;
    (void)wait_for(&FLASH_ACR, ACR_TIMING_MASK, ACR_AXI_200_MHZ);
    RCC_D1CFGR = D1CFGR_HALVES;
    RCC_D2CFGR = D2CFGR_HALVES;
    RCC_D3CFGR = D3CFGR_HALF;
    stm32_select_clock(&RCC_CFGR, CFGR_SW_PLL1, CFGR_STATUS_SHIFT);
}

static void start_wire(void)
{
    RCC_AHB4ENR |= AHB4ENR_GPIOD;
    RCC_APB1LENR |= APB1LENR_USART3;
    (void)RCC_APB1LENR; /* a read back: the peripheral needs two cycles after its clock is on */
    stm32_uart_pins(GPIOD_BASE, PIN_TX, PIN_RX, AF_USART3);
    uart_start(APB1_HZ);
}

void board_init(void)
{
    set_voltage();
    start_clocks();
    cortex_m7_caches_on();
    start_wire();
    counter_start();
}
