/* The least that is counted like a firmware: a table of one stage, whose kernel is the body. */
    .syntax unified
    .thumb
    .section .vectors, "a"
    .word 0x20001000
    .word reset + 1

    .text
    .file "main.s"
    .global reset
    .type reset, %function
reset:
    bl board_ticks
    bl run
    bl dd_app_clock
    b .
    .size reset, . - reset

    .global board_ticks
    .type board_ticks, %function
board_ticks:
    bx lr
    .size board_ticks, . - board_ticks

    .global dd_app_clock
    .type dd_app_clock, %function
dd_app_clock:
    bx lr
    .size dd_app_clock, . - dd_app_clock

    .global kernel
    .type kernel, %function
kernel:
    .include "body.s"
    bx lr
    .ltorg
    .align 2
data:
    .rept 64
    .word 0x01020304
    .endr
    .size kernel, . - kernel
    .section .stages, "a"
    .type stages, %object
stages:
    .word kernel + 1
    .word 0
    .size stages, . - stages
