/* Runs the cases on an emulated core: for each the CRC of its output and the ticks that it took. */
#include "dd_crc32.h"
#include "kernel_cases.h"
#include "startup.h"

void run_cases(void)
{
    for (uint32_t i = 0; i < kernel_count; i++) {
        const kernel_case *const of = &kernel_cases[i];
        int8_t *out = kernel_out;
        const uint32_t before = core_counter();
        for (uint32_t t = 0; t < of->tile_count; t++) {
            const kernel_tile *const tile = &of->tiles[t];
            of->run(of->params, of->table, tile->in, tile->first, tile->steps, out);
            out += tile->steps * of->channels;
        }
        const uint32_t ticks = core_ticks_since(before);
        core_print(dd_crc32(0, kernel_out, (size_t)(out - kernel_out)), ticks);
    }
}
