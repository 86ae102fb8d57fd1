/* Runs the generated cases on an emulated core and prints, for each, the CRC of its output and
 * the SysTick ticks that it took. */
#include <stdint.h>

#include "cases.h"
#include "dd_conv1d_s8.h"
#include "dd_crc32.h"
#include "startup.h"

static int8_t out[OUT_BYTES_MAX];

static void run_case(const one_case *one)
{
    const uint32_t before = core_counter();
    const dd_view in = {one->in, 0, one->in_length};
    dd_conv1d_s8(&one->layer, one->table, &in, 0, one->out_length, out);
    const uint32_t ticks = core_ticks_since(before);
    core_print(dd_crc32(0, out, (size_t)one->out_length * one->layer.out_channels), ticks);
}

void run_cases(void)
{
    for (uint32_t i = 0; i < CASES; i++) {
        run_case(&cases[i]);
    }
}
