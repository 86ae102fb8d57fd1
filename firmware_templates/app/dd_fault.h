/* What a board says of a crash. */
#ifndef DD_FAULT_H
#define DD_FAULT_H

#include <stdint.h>

/* Kinds of fault that a board reports. */
enum {
    DD_FAULT_HARD = 1,
    DD_FAULT_EXCEPTION = 2,
    DD_FAULT_STACK = 3,
    DD_FAULT_ASSERTION = 4,
};

#define DD_FAULT_REGISTERS 5

typedef struct dd_fault {
    uint8_t kind;
    uint8_t exception; /* its number on the core, or the signal's in a process */
    uint32_t pc;       /* 0 where it is not known */
    uint32_t lr;
    uint32_t status;  /* CFSR */
    uint32_t address; /* that was accessed in vain */
    uint32_t xpsr;
    uint32_t registers[DD_FAULT_REGISTERS]; /* r0 to r3, r12 */
} dd_fault;

/* Report a crash over the wire, unasked. Every application gives this, and it uses no state. */
void dd_send_fault(const dd_fault *fault);

#endif
