/* A counter behind board_ticks(). board.toml names its driver, app/counter_<driver>.c, which gives
 * the functions below and board_ticks. */
#ifndef COUNTER_H
#define COUNTER_H

/* Count from now on. The core runs at BOARD_CLOCK_HZ already. */
void counter_start(void);

/* SysTick's exception, in the vector table: for drivers that let it interrupt. */
void counter_wrapped(void);

#endif
