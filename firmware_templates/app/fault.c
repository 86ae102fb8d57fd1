/* A crash on a Cortex-M: say where over the wire, and start again. */
#include "board.h"
#include "cortex_m.h"
#include "dd_fault.h"

/* Words of the frame that the core stacks: r0 to r3 and r12 come first. */
#define FRAME_LR    5
#define FRAME_PC    6
#define FRAME_XPSR  7
#define FRAME_WORDS 8u

#define ICSR_VECTACTIVE 0x1FFu
#define HARD_FAULT      3u

static bool is_readable(const uint32_t *frame)
{
    const uintptr_t address = (uintptr_t)frame;
    return address % sizeof *frame == 0 && address >= (uintptr_t)__stack_limit &&
           address <= (uintptr_t)__stack_top - FRAME_WORDS * sizeof *frame;
}

#if __ARM_ARCH >= 7
#define CFSR_MSTKERR   (1u << 4) /* the exception's own stacking met the guard */
#define CFSR_MMARVALID (1u << 7)
#define CFSR_STKERR    (1u << 12) /* ... or the end of RAM */
#define CFSR_BFARVALID (1u << 15)
#define CFSR_STKOF     (1u << 20) /* Armv8-M: the stack limit */
static bool is_below_stack(uint32_t address)
{
    const uint32_t limit = (uint32_t)(uintptr_t)__stack_limit;
    return address < limit && address >= limit - STACK_GUARD_BYTES;
}

/* The address that could not be accessed, or 0. */
static uint32_t address_of(uint32_t cfsr)
{
    if ((cfsr & CFSR_MMARVALID) != 0) {
        return SCB_MMFAR;
    }
    return (cfsr & CFSR_BFARVALID) != 0 ? SCB_BFAR : 0;
}

static bool is_stack_overflow(uint32_t cfsr)
{
    return (cfsr & (CFSR_MSTKERR | CFSR_STKERR | CFSR_STKOF)) != 0 ||
           is_below_stack(address_of(cfsr));
}
#endif

_Noreturn void fault_report(const uint32_t *frame)
{
#if __ARM_ARCH >= 7
    const uint32_t cfsr = SCB_CFSR;
    const uint32_t address = address_of(cfsr);
    const bool overflow = is_stack_overflow(cfsr);
#else
    const uint32_t cfsr = 0; /* Armv6-M cannot say why */
    const uint32_t address = 0;
    const bool overflow = !is_readable(frame);
#endif
    const uint32_t exception = SCB_ICSR & ICSR_VECTACTIVE;
    dd_fault fault = {
        .kind = exception == HARD_FAULT ? DD_FAULT_HARD : DD_FAULT_EXCEPTION,
        .exception = (uint8_t)exception,
        .status = cfsr,
        .address = address,
    };
    if (overflow) {
        fault.kind = DD_FAULT_STACK;
    }
    if (is_readable(frame)) {
        fault.pc = frame[FRAME_PC];
        fault.lr = frame[FRAME_LR];
        fault.xpsr = frame[FRAME_XPSR];
        for (size_t i = 0; i < DD_FAULT_REGISTERS; i++) {
            fault.registers[i] = frame[i];
        }
    }
    dd_send_fault(&fault);
    board_reset();
}

/* Take the stacked frame's address, and a stack to report with: the present one, unless it has less
 * than 512 bytes left; then the top, far from the frame. Armv6-M instructions only. */
__attribute__((naked)) void fault_handler(void)
{
    __asm volatile(
        "mov  r1, lr                  \n"
        "movs r2, #4                  \n" /* EXC_RETURN bit 2: the process stack was in use */
        "mrs  r0, msp                 \n"
        "mov  r3, r0                  \n"
        "tst  r1, r2                  \n"
        "beq  1f                      \n"
        "mrs  r0, psp                 \n"
        "1:                           \n"
        "ldr  r2, =__stack_limit + 512\n"
        "cmp  r3, r2                  \n"
        "bhs  2f                      \n"
        "ldr  r2, =__stack_top        \n"
        "msr  msp, r2                 \n"
        "isb                          \n"
        "2:                           \n"
        "ldr  r2, =fault_report       \n"
        "bx   r2                      \n"
        ".ltorg                       \n");
}
