#include "startup.h"

#include <stddef.h>
#include <string.h>

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD  (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_VALUE   (*(volatile uint32_t *)0xE000E018u)
#define SYSTICK_MASK    0xFFFFFFu

#define SEMIHOSTING_WRITE0 0x04u
#define SEMIHOSTING_EXIT   0x18u
#define EXIT_DONE          0x20026u

#define CCR             (*(volatile uint32_t *)0xE000ED14u)
#define CCR_UNALIGN_TRP (1u << 3)

#define CPACR         (*(volatile uint32_t *)0xE000ED88u)
#define CPACR_VECTORS (0xFu << 20)

extern uint32_t __stack_top[];
void reset(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*reset)(void);
} vectors = {__stack_top, reset};

#if defined(TRAP_UNALIGNED)
/* The C library's own copies words from anywhere. */
void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    volatile uint8_t *const out_bytes = to;
    for (size_t i = 0; i < count; i++) {
        out_bytes[i] = ((const uint8_t *)from)[i];
    }
    return to;
}
#endif

static char line[32];

static void semihost(uint32_t operation, uint32_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uint32_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static char *put_hex(char *at, uint32_t value, char after)
{
    for (int shift = 28; shift >= 0; shift -= 4) {
        *at++ = "0123456789abcdef"[(value >> shift) & 15u];
    }
    *at++ = after;
    return at;
}

uint32_t core_counter(void)
{
    return SYSTICK_VALUE;
}

uint32_t core_ticks_since(uint32_t before)
{
    return (before - SYSTICK_VALUE) & SYSTICK_MASK;
}

void core_print(uint32_t crc, uint32_t ticks)
{
    *put_hex(put_hex(line, crc, ' '), ticks, '\n') = '\0';
    semihost(SEMIHOSTING_WRITE0, (uint32_t)line);
}

void reset(void)
{
#if defined(__ARM_FEATURE_MVE)
    CPACR |= CPACR_VECTORS;
#endif
#if defined(TRAP_UNALIGNED)
    CCR |= CCR_UNALIGN_TRP;
#endif
    SYSTICK_RELOAD = SYSTICK_MASK;
    SYSTICK_CONTROL = 5; /* on, from the core clock */
    run_cases();
    semihost(SEMIHOSTING_EXIT, EXIT_DONE);
}
