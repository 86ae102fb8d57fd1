/* Raspberry Pi Pico 2: RP2350 with a 12 MHz crystal, one of its Cortex-M33 at 150 MHz, secure.
 * Register facts: RP2350 Datasheet. */
#include "board.h"
#include "cortex_m.h"
#include "counter.h"
#include "uart.h"

/* What the boot ROM looks for in the first 4 KB of the flash: a program for a secure Arm core of
 * this chip, whose vector table is where the flash begins (Datasheet 5.9.5.1, "Minimum Arm
 * IMAGE_DEF"). */
#define BLOCK_BEGIN      0xFFFFDED3u
#define BLOCK_IMAGE_TYPE 0x10210142u /* one word: RP2350, Arm, secure, executable */
#define BLOCK_LAST_ITEM  0x000001FFu
#define BLOCK_LOOP       0u /* no other block follows */
#define BLOCK_END        0xAB123579u
extern const uint32_t image_definition[];
__attribute__((section(".boot_block"), used)) const uint32_t image_definition[] = {
    BLOCK_BEGIN, BLOCK_IMAGE_TYPE, BLOCK_LAST_ITEM, BLOCK_LOOP, BLOCK_END,
};

/* Writing to a register's alias clears the bits that are written: 2.1.3. */
#define CLEAR_ALIAS 0x3000u

#define RESETS_RESET_CLEAR CORTEX_M_REGISTER(0x40020000u + CLEAR_ALIAS)
#define RESETS_RESET_DONE  CORTEX_M_REGISTER(0x40020008u)
#define RESET_IO_BANK0     (1u << 6)
#define RESET_PADS_BANK0   (1u << 9)
#define RESET_PLL_SYS      (1u << 14)
#define RESET_UART0        (1u << 26)

#define XOSC_CTRL        CORTEX_M_REGISTER(0x40048000u)
#define XOSC_STATUS      CORTEX_M_REGISTER(0x40048004u)
#define XOSC_STARTUP     CORTEX_M_REGISTER(0x4004800Cu)
#define XOSC_1_TO_15_MHZ 0xAA0u
#define XOSC_ENABLE      (0xFABu << 12)
#define XOSC_STABLE      (1u << 31)
#define XOSC_DELAY       282u /* x 256 clocks: 6 ms, more than the crystal needs */

/* 12 MHz x 125 = 1500 MHz, divided by 5 and 2: 150 MHz. */
#define PLL_SYS_CS        CORTEX_M_REGISTER(0x40050000u)
#define PLL_SYS_PWR_CLEAR CORTEX_M_REGISTER(0x40050004u + CLEAR_ALIAS)
#define PLL_SYS_FBDIV     CORTEX_M_REGISTER(0x40050008u)
#define PLL_SYS_PRIM      CORTEX_M_REGISTER(0x4005000Cu)
#define CS_REFDIV         1u
#define CS_LOCK           (1u << 31)
#define PWR_PLL_OFF       (1u << 0)
#define PWR_VCO_OFF       (1u << 5)
#define PWR_POSTDIV_OFF   (1u << 3)
#define FBDIV             125u
#define PRIM_DIVISORS     ((5u << 16) | (2u << 12))

#define CLK_REF_CTRL     CORTEX_M_REGISTER(0x40010030u)
#define CLK_REF_SELECTED CORTEX_M_REGISTER(0x40010038u)
#define CLK_SYS_CTRL     CORTEX_M_REGISTER(0x4001003Cu)
#define CLK_SYS_SELECTED CORTEX_M_REGISTER(0x40010044u)
#define CLK_PERI_CTRL    CORTEX_M_REGISTER(0x40010048u)
#define REF_XOSC         2u
#define SYS_REF          0u
#define SYS_AUX_PLL      1u /* the auxiliary source, which is the PLL unless told otherwise */
#define PERI_ENABLE      (1u << 11) /* from the system's clock */

#define IO_GPIO_CTRL(pin) CORTEX_M_REGISTER(0x40028004u + 8u * (pin))
#define PADS_GPIO(pin)    CORTEX_M_REGISTER(0x40038004u + 4u * (pin))
#define FUNCTION_UART     2u
#define PAD_OUTPUT        ((1u << 6) | (1u << 4) | (1u << 1)) /* no isolation; 4 mA */
#define PAD_INPUT         ((1u << 6) | (1u << 3) | (1u << 1)) /* no isolation; pulled up */
#define PIN_TX            0u
#define PIN_RX            1u

static void release(uint32_t blocks)
{
    RESETS_RESET_CLEAR = blocks;
    (void)wait_for(&RESETS_RESET_DONE, blocks, blocks);
}

static void start_crystal(void)
{
    XOSC_STARTUP = XOSC_DELAY;
    XOSC_CTRL = XOSC_1_TO_15_MHZ | XOSC_ENABLE;
    (void)wait_for(&XOSC_STATUS, XOSC_STABLE, XOSC_STABLE);
    CLK_SYS_CTRL = SYS_REF;
    (void)wait_for(&CLK_SYS_SELECTED, 3u, 1u << SYS_REF);
    CLK_REF_CTRL = REF_XOSC;
    (void)wait_for(&CLK_REF_SELECTED, 15u, 1u << REF_XOSC);
}

/* In the order of 8.6.5. */
static void start_pll(void)
{
    release(RESET_PLL_SYS);
    PLL_SYS_CS = CS_REFDIV;
    PLL_SYS_FBDIV = FBDIV;
    PLL_SYS_PWR_CLEAR = PWR_PLL_OFF | PWR_VCO_OFF;
    (void)wait_for(&PLL_SYS_CS, CS_LOCK, CS_LOCK);
    PLL_SYS_PRIM = PRIM_DIVISORS;
    PLL_SYS_PWR_CLEAR = PWR_POSTDIV_OFF;
    CLK_SYS_CTRL = SYS_AUX_PLL;
    (void)wait_for(&CLK_SYS_SELECTED, 3u, 1u << SYS_AUX_PLL);
}

static void start_wire(void)
{
    CLK_PERI_CTRL = PERI_ENABLE;
    release(RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0);
    IO_GPIO_CTRL(PIN_TX) = FUNCTION_UART;
    IO_GPIO_CTRL(PIN_RX) = FUNCTION_UART;
    PADS_GPIO(PIN_TX) = PAD_OUTPUT;
    PADS_GPIO(PIN_RX) = PAD_INPUT;
    uart_start(BOARD_CLOCK_HZ);
}

void board_init(void)
{
    start_crystal();
    start_pll();
    start_wire();
    counter_start();
}
