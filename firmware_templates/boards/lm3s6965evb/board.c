/* Stellaris LM3S6965 EVB with an 8 MHz crystal. Register facts: the LM3S6965 data sheet. */
#include "board.h"
#include "cortex_m.h"
#include "counter.h"
#include "uart.h"

#define SYSCTL_BASE       0x400FE000u
#define SYSCTL_RIS        CORTEX_M_REGISTER(SYSCTL_BASE + 0x050u)
#define SYSCTL_MISC       CORTEX_M_REGISTER(SYSCTL_BASE + 0x058u)
#define SYSCTL_RCC        CORTEX_M_REGISTER(SYSCTL_BASE + 0x060u)
#define SYSCTL_RCGC1      CORTEX_M_REGISTER(SYSCTL_BASE + 0x104u)
#define SYSCTL_RCGC2      CORTEX_M_REGISTER(SYSCTL_BASE + 0x108u)
#define RIS_PLL_LOCKED    (1u << 6)
#define RCC_CRYSTAL_OFF   (1u << 0)
#define RCC_SOURCE_MASK   (3u << 4) /* 0: the crystal */
#define RCC_CRYSTAL_MASK  (15u << 6)
#define RCC_CRYSTAL_8_MHZ (14u << 6)
#define RCC_BYPASS        (1u << 11)
#define RCC_PLL_OFF       (1u << 13)
#define RCC_USE_DIVISOR   (1u << 22)
#define RCC_DIVISOR_MASK  (15u << 23)
#define RCC_DIVIDE_BY_4   (3u << 23) /* of the PLL's 200 MHz */
#define RCGC1_UART0       (1u << 0)
#define RCGC2_PORT_A      (1u << 0)

#define PORT_A_BASE  0x40004000u
#define PORT_A_AFSEL CORTEX_M_REGISTER(PORT_A_BASE + 0x420u)
#define PORT_A_DEN   CORTEX_M_REGISTER(PORT_A_BASE + 0x51Cu)
#define PINS_UART0   ((1u << 0) | (1u << 1))

#define CRYSTAL_START_POLLS \
    100000u /* no flag tells: 20 ms and more at 12 MHz, the crystal needs 10 */

/* 50 MHz, in the order that the data sheet's 5.3 demands. */
static void start_clocks(void)
{
    uint32_t rcc = (SYSCTL_RCC | RCC_BYPASS) & ~(RCC_USE_DIVISOR | RCC_CRYSTAL_OFF);
    SYSCTL_RCC = rcc;
    for (uint32_t i = CRYSTAL_START_POLLS; i > 0; i--) {
        (void)SYSCTL_RCC;
    }
    SYSCTL_MISC = RIS_PLL_LOCKED; /* of an earlier lock */
    rcc &= ~(RCC_CRYSTAL_MASK | RCC_SOURCE_MASK | RCC_PLL_OFF);
    rcc |= RCC_CRYSTAL_8_MHZ;
    SYSCTL_RCC = rcc;
    rcc = (rcc & ~RCC_DIVISOR_MASK) | RCC_DIVIDE_BY_4 | RCC_USE_DIVISOR;
    SYSCTL_RCC = rcc;
    (void)wait_for(&SYSCTL_RIS, RIS_PLL_LOCKED, RIS_PLL_LOCKED);
    SYSCTL_RCC = rcc & ~RCC_BYPASS;
}

static void start_wire(void)
{
    SYSCTL_RCGC1 |= RCGC1_UART0;
    SYSCTL_RCGC2 |= RCGC2_PORT_A;
    (void)SYSCTL_RCGC2; /* a read back: a peripheral needs three cycles after its clock is on */
    (void)SYSCTL_RCGC2;
    PORT_A_AFSEL |= PINS_UART0;
    PORT_A_DEN |= PINS_UART0;
    uart_start(BOARD_CLOCK_HZ);
}

void board_init(void)
{
    start_clocks();
    start_wire();
    counter_start();
}
