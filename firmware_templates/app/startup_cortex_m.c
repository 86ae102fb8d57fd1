/* From reset to main: vector table, memory, FPU. Armv6-M, Armv7-M, and Armv8-M that is secure. */
#include <string.h>

#include "cortex_m.h"
#include "counter.h"
#include "dd_words.h"

#define CPACR_FPU_FULL_ACCESS (0xFu << 20) /* and Helium, which has the same registers */
#define CCR_DIV_0_TRP         (1u << 4)
#define AIRCR_VECTKEY         (0x05FAu << 16)
#define AIRCR_SYSRESETREQ     (1u << 2)

extern uint32_t __data_load[];
extern uint32_t __data_start[];
extern uint32_t __data_end[];
extern uint32_t __bss_start[];
extern uint32_t __bss_end[];

int main(void);
_Noreturn void reset_handler(void);

typedef void (*vector)(void);

typedef struct vector_table {
    uint32_t *stack_top;
    vector exceptions[15]; /* 1 to 15. No interrupt is ever enabled, so none has a vector. */
} vector_table;

extern const vector_table vectors;
__attribute__((section(".vectors"), used)) const vector_table vectors = {
    .stack_top = __stack_top,
    .exceptions =
        {
            reset_handler,
            fault_handler, /* NMI */
            fault_handler, /* HardFault; the next four escalate to it, for they are not enabled */
            fault_handler, /* MemManage */
            fault_handler, /* BusFault */
            fault_handler, /* UsageFault */
            fault_handler, /* SecureFault */
            fault_handler, /* 8 */
            fault_handler, /* 9 */
            fault_handler, /* 10 */
            fault_handler, /* SVCall */
            fault_handler, /* DebugMonitor */
            fault_handler, /* 13 */
            fault_handler, /* PendSV */
            counter_wrapped,
        },
};

/* A board that counts without SysTick never sees its exception. */
__attribute__((weak)) void counter_wrapped(void)
{
}

static void prepare_core(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    SCB_CPACR |= CPACR_FPU_FULL_ACCESS;
#endif
#if __ARM_ARCH >= 7
    SCB_VTOR = (uint32_t)(uintptr_t)&vectors; /* a bootloader may have left its own */
    SCB_CCR |= CCR_DIV_0_TRP;
#endif
    __asm volatile("dsb\n\tisb" ::: "memory");
}

/* A word that may be at any address where the core reads such ones, and may alias anything. */
#if defined(__ARM_FEATURE_UNALIGNED)
typedef uint32_t __attribute__((may_alias, aligned(1))) unaligned_word;
#else
typedef uint32_t __attribute__((may_alias)) unaligned_word;
#endif

static size_t bytes_between(const uint32_t *begin, const uint32_t *end)
{
    return (size_t)((uintptr_t)end - (uintptr_t)begin);
}

/* Small ones of the C library's, whose own take half a kilobyte of flash. The compiler must not
 * find in a loop here what it is the body of. */
#define NO_LIBRARY_CALL() __asm volatile("" ::: "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    if (dd_in_words(to, from)) {
        for (; count >= sizeof(uint32_t); count -= sizeof(uint32_t)) {
            *(unaligned_word *)(void *)out = *(const unaligned_word *)(const void *)in;
            out += sizeof(uint32_t);
            in += sizeof(uint32_t);
            NO_LIBRARY_CALL();
        }
    }
    for (; count != 0; count--) {
        *out++ = *in++;
        NO_LIBRARY_CALL();
    }
    return to;
}

void *memset(void *to, int value, size_t count)
{
    const uint32_t word = (uint8_t)value * 0x01010101u;
    uint8_t *out = to;
    if (dd_in_words(to, to)) {
        for (; count >= 4 * sizeof word; count -= 4 * sizeof word) {
            unaligned_word *const words = (void *)out;
            words[0] = word;
            words[1] = word;
            words[2] = word;
            words[3] = word;
            out += 4 * sizeof word;
            NO_LIBRARY_CALL();
        }
    }
    for (; count != 0; count--) {
        *out++ = (uint8_t)value;
        NO_LIBRARY_CALL();
    }
    return to;
}

_Noreturn void reset_handler(void)
{
    prepare_core();
    stack_paint();
    stack_guard();
    memcpy(__data_start, __data_load, bytes_between(__data_start, __data_end));
    memset(__bss_start, 0, bytes_between(__bss_start, __bss_end));
    (void)main();
    cortex_m_reset();
}

_Noreturn void cortex_m_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = AIRCR_VECTKEY | AIRCR_SYSRESETREQ;
    for (;;) {
        /* the reset takes a few cycles to come */
    }
}
