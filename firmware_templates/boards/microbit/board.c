/* BBC micro:bit 1: nRF51822. Register facts: Nordic's nRF51 Series Reference
 * Manual 3.0. */
#include "board.h"
#include "cortex_m.h"

/* A task is started by writing 1; an event reads 1 once it happened, until 0 is
 * written. */
#define START   1u
#define CLEARED 0u

#define CLOCK_BASE                0x40000000u
#define CLOCK_TASKS_HFCLKSTART    CORTEX_M_REGISTER(CLOCK_BASE + 0x000u)
#define CLOCK_EVENTS_HFCLKSTARTED CORTEX_M_REGISTER(CLOCK_BASE + 0x100u)

#define GPIO_BASE               0x50000000u
#define GPIO_OUTSET             CORTEX_M_REGISTER(GPIO_BASE + 0x508u)
#define GPIO_DIRSET             CORTEX_M_REGISTER(GPIO_BASE + 0x518u)
#define GPIO_PIN_CNF(pin)       CORTEX_M_REGISTER(GPIO_BASE + 0x700u + 4u * (pin))
#define PIN_CNF_INPUT_PULLED_UP (3u << 2)
#define PIN_TX                  24u
#define PIN_RX                  25u

#define UART_TASKS_STARTRX CORTEX_M_REGISTER(BOARD_UART_BASE + 0x000u)
#define UART_TASKS_STARTTX CORTEX_M_REGISTER(BOARD_UART_BASE + 0x008u)
#define UART_EVENTS_RXDRDY CORTEX_M_REGISTER(BOARD_UART_BASE + 0x108u)
#define UART_EVENTS_TXDRDY CORTEX_M_REGISTER(BOARD_UART_BASE + 0x11Cu)
#define UART_ENABLE        CORTEX_M_REGISTER(BOARD_UART_BASE + 0x500u)
#define UART_PSELTXD       CORTEX_M_REGISTER(BOARD_UART_BASE + 0x50Cu)
#define UART_PSELRXD       CORTEX_M_REGISTER(BOARD_UART_BASE + 0x514u)
#define UART_RXD           CORTEX_M_REGISTER(BOARD_UART_BASE + 0x518u)
#define UART_TXD           CORTEX_M_REGISTER(BOARD_UART_BASE + 0x51Cu)
#define UART_BAUDRATE      CORTEX_M_REGISTER(BOARD_UART_BASE + 0x524u)
#define UART_ENABLED       4u

/* 2^32 x baud / clock; the lower 12 bits are not there. */
#define BAUDRATE ((((uint64_t)BOARD_UART_BAUD << 32) / BOARD_CLOCK_HZ + 0x800u) & 0xFFFFF000u)

#define TIMER0_BASE           0x40008000u
#define TIMER0_TASKS_START    CORTEX_M_REGISTER(TIMER0_BASE + 0x000u)
#define TIMER0_TASKS_CLEAR    CORTEX_M_REGISTER(TIMER0_BASE + 0x00Cu)
#define TIMER0_TASKS_CAPTURE0 CORTEX_M_REGISTER(TIMER0_BASE + 0x040u)
#define TIMER0_BITMODE        CORTEX_M_REGISTER(TIMER0_BASE + 0x508u)
#define TIMER0_PRESCALER      CORTEX_M_REGISTER(TIMER0_BASE + 0x510u)
#define TIMER0_CC0            CORTEX_M_REGISTER(TIMER0_BASE + 0x540u)
#define BITMODE_32            3u

/* The UART's and the counter's precision: the internal oscillator, which starts
 * first, is 1 % off. */
static void start_crystal(void)
{
    CLOCK_EVENTS_HFCLKSTARTED = CLEARED;
    CLOCK_TASKS_HFCLKSTART = START;
    (void)wait_for(&CLOCK_EVENTS_HFCLKSTARTED, 1u, 1u);
}

static void start_uart(void)
{
    GPIO_OUTSET = 1u << PIN_TX;
    GPIO_DIRSET = 1u << PIN_TX;
    GPIO_PIN_CNF(PIN_RX) = PIN_CNF_INPUT_PULLED_UP; /* an open wire is silent, not noise */
    UART_PSELTXD = PIN_TX;
    UART_PSELRXD = PIN_RX;
    UART_BAUDRATE = (uint32_t)BAUDRATE;
    UART_ENABLE = UART_ENABLED;
    UART_TASKS_STARTTX = START;
    UART_TASKS_STARTRX = START;
}

static void start_counter(void)
{
    TIMER0_BITMODE = BITMODE_32;
    TIMER0_PRESCALER = 0;
    TIMER0_TASKS_CLEAR = START;
    TIMER0_TASKS_START = START;
}

void board_init(void)
{
    start_crystal();
    start_uart();
    start_counter();
}

bool board_read(uint8_t *byte)
{
    (void)board_ticks(); /* a board that waits for its host must not miss the
                            counter's wraps */
    if (UART_EVENTS_RXDRDY == 0) {
        return false;
    }
    UART_EVENTS_RXDRDY = CLEARED; /* first: reading takes the next of six bytes
                                     out of the buffer */
    *byte = (uint8_t)UART_RXD;
    return true;
}

void board_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        UART_EVENTS_TXDRDY = CLEARED;
        UART_TXD = bytes[i];
        while (UART_EVENTS_TXDRDY == 0) {
        }
    }
}

/* 32 bits wrap after 268 s, longer than any request takes; the upper half is
 * counted here. */
uint64_t board_ticks(void)
{
    static uint32_t wraps;
    static uint32_t last;
    TIMER0_TASKS_CAPTURE0 = START;
    const uint32_t now = TIMER0_CC0;
    if (now < last) {
        wraps++;
    }
    last = now;
    return ((uint64_t)wraps << 32) | now;
}

_Noreturn void board_reset(void)
{
    cortex_m_reset(); /* board_write returned when its last byte had left */
}
