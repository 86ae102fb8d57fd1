/* Two networks in one firmware, on a core or here: one is pushed step by step, and in the midst of
 * that the other runs whole. Prints the CRC of each output. */
#include <inttypes.h>

#include "cases.h"
#include "dd_crc32.h"
#include "ears_net.h"
#include "motion_net.h"

#ifdef ON_CORE
#include "startup.h"
static void print_crc(uint32_t crc)
{
    core_print(crc, 0);
}
#else
#include <stdio.h>
static void print_crc(uint32_t crc)
{
    printf("%08" PRIx32 " 0\n", crc);
}
#endif

static motion_net motion;
static ears_net ears;

static void require(int held)
{
    if (!held) {
        print_crc(0); /* no CRC of a case is 0 */
    }
}

static void push_motion(size_t from, size_t count, dd_status expected)
{
    for (size_t step = from; step < from + count; step++) {
        size_t taken = 0;
        const dd_status status =
            motion_push(&motion, &motion_input[step * MOTION_CHANNELS], 1, &taken);
        require(taken == 1 && status == (step + 1 == from + count ? expected : DD_OK));
    }
}

static void run_both(void)
{
    const int8_t *const inputs[EARS_INPUTS] = {left_input, right_input};
    push_motion(0, MOTION_STEPS / 2, DD_OK);
    require(motion_ready(&motion, 0) < MOTION_OUTPUT0_STEPS);
    require(ears_run(&ears, inputs) == DD_OK);
    push_motion(MOTION_STEPS / 2, MOTION_STEPS - MOTION_STEPS / 2, DD_OUTPUT_READY);
    require(motion_ready(&motion, 0) == MOTION_OUTPUT0_STEPS);
    require(motion_ready(&motion, 1) == MOTION_OUTPUT1_STEPS);
    require(motion_output(&motion, MOTION_OUTPUTS) == NULL);
    print_crc(
        dd_crc32(0, motion_output(&motion, 0), MOTION_OUTPUT0_STEPS * MOTION_OUTPUT0_CHANNELS));
    print_crc(
        dd_crc32(0, motion_output(&motion, 1), MOTION_OUTPUT1_STEPS * MOTION_OUTPUT1_CHANNELS));
    print_crc(dd_crc32(0, ears_output(&ears, 0), EARS_OUTPUT0_STEPS * EARS_OUTPUT0_CHANNELS));
}

void run_cases(void)
{
    require(motion_init(&motion) == DD_OK && ears_init(&ears) == DD_OK);
    require(motion_init(NULL) == DD_BAD_ARGUMENT && ears_run(NULL, NULL) == DD_BAD_ARGUMENT);
    run_both();
    run_both(); /* the next input begins by itself */
}

#ifndef ON_CORE
int main(void)
{
    run_cases();
    return 0;
}
#endif
