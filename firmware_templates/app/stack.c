/* How deep the stack ever was, and a fence below it. The stack lies at the bottom of RAM: where
 * there is no MPU, what is below it is nothing, and a bus fault on most parts. */
#include "board.h"
#include "cortex_m.h"

/* Not one byte repeated, so that no compiler makes a memset of the loop below. */
#define PAINT 0x57AC0FF5u

/* The compiler may push this function's registers after it has read the stack pointer. */
#define PUSHED_WORDS 16

void stack_paint(void)
{
    uint32_t *top;
    __asm volatile("mov %0, sp" : "=r"(top));
    /* As numbers: pointers into different objects have no order. */
    const uintptr_t end = (uintptr_t)(top - PUSHED_WORDS);
    for (volatile uint32_t *word = __stack_limit; (uintptr_t)word < end; word++) {
        *word = PAINT;
    }
}

#define MPU_TYPE_REGIONS       (0xFFu << 8)
#define MPU_CTRL_ENABLE        (1u << 0)
#define MPU_CTRL_PRIVDEFENA    (1u << 2) /* everywhere else the default map holds */
#define MPU_RASR_ENABLE        (1u << 0)
#define MPU_RASR_SIZE_4K       (11u << 1) /* 2 to the (11 + 1) */
#define MPU_RASR_NO_ACCESS     (0u << 24)
#define MPU_RASR_EXECUTE_NEVER (1u << 28)

void stack_guard(void)
{
#if __ARM_ARCH >= 8
    __asm volatile("msr msplim, %0" ::"r"(__stack_limit));
#else
    if ((MPU_TYPE & MPU_TYPE_REGIONS) == 0) {
        return;
    }
    MPU_RNR = 0;
    MPU_RBAR = (uint32_t)(uintptr_t)__stack_limit - STACK_GUARD_BYTES;
    MPU_RASR = MPU_RASR_ENABLE | MPU_RASR_SIZE_4K | MPU_RASR_NO_ACCESS | MPU_RASR_EXECUTE_NEVER;
    MPU_CTRL = MPU_CTRL_ENABLE | MPU_CTRL_PRIVDEFENA;
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
}

uint32_t board_stack_bytes(void)
{
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)__stack_limit);
}

uint32_t board_stack_peak_bytes(void)
{
    const uintptr_t top = (uintptr_t)__stack_top;
    const uint32_t *word = __stack_limit;
    while ((uintptr_t)word < top && *word == PAINT) {
        word++;
    }
    return (uint32_t)(top - (uintptr_t)word);
}
