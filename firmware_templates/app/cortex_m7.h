/* The caches of a Cortex-M7: Armv7-M Architecture Reference Manual, B2.2 and B3.2. */
#ifndef CORTEX_M7_H
#define CORTEX_M7_H

#include "cortex_m.h"

#define SCB_CCSIDR  CORTEX_M_REGISTER(0xE000ED80u)
#define SCB_CSSELR  CORTEX_M_REGISTER(0xE000ED84u)
#define SCB_ICIALLU CORTEX_M_REGISTER(0xE000EF50u)
#define SCB_DCISW   CORTEX_M_REGISTER(0xE000EF60u)
#define CCR_DC      (1u << 16)
#define CCR_IC      (1u << 17)
#define SET_SHIFT   5u /* lines of 32 bytes */
#define WAY_SHIFT   30u
#define WAYS        4u

/* Invalidate what power-up left in them, and switch both on. No DMA is ever used, so that what they
 * hold and what the memory holds never differ for anyone who looks. */
static inline void cortex_m7_caches_on(void)
{
    SCB_CSSELR = 0; /* the data cache */
    __asm volatile("dsb" ::: "memory");
    const uint32_t last_set = (SCB_CCSIDR >> 13) & 0x7FFFu;
    for (uint32_t set = 0; set <= last_set; set++) {
        for (uint32_t way = 0; way < WAYS; way++) {
            SCB_DCISW = (way << WAY_SHIFT) | (set << SET_SHIFT);
        }
    }
    SCB_ICIALLU = 0;
    __asm volatile("dsb\n\tisb" ::: "memory");
    SCB_CCR |= CCR_DC | CCR_IC;
    __asm volatile("dsb\n\tisb" ::: "memory");
}

#endif
