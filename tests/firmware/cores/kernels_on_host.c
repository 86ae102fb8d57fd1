/* Runs the cases on the host: each input and output in memory of exactly its size, so that the
 * sanitizers see every byte too far. Prints each case's output in hexadecimal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_cases.h"

static void *exact_block(size_t bytes)
{
    void *block = malloc(bytes == 0 ? 1 : bytes);
    if (block == NULL) {
        exit(2);
    }
    return block;
}

static void run_tile(const kernel_case *of, const kernel_tile *tile, int8_t *out)
{
    dd_view views[DD_INPUTS_MAX];
    int8_t *copies[DD_INPUTS_MAX];
    const size_t count = (size_t)tile->steps * of->channels;
    int8_t *const made = exact_block(count);
    for (uint32_t i = 0; i < of->inputs; i++) {
        const dd_view *const in = &tile->in[i];
        const size_t bytes = (size_t)(in->end - in->begin) * of->in_channels[i];
        copies[i] = exact_block(bytes);
        memcpy(copies[i], in->values, bytes);
        views[i] = (dd_view){copies[i], in->begin, in->end};
    }
    of->run(of->params, of->table, views, tile->first, tile->steps, made);
    memcpy(out, made, count);
    for (uint32_t i = 0; i < of->inputs; i++) {
        free(copies[i]);
    }
    free(made);
}

int main(void)
{
    for (uint32_t i = 0; i < kernel_count; i++) {
        const kernel_case *const of = &kernel_cases[i];
        int8_t *out = kernel_out;
        for (uint32_t t = 0; t < of->tile_count; t++) {
            run_tile(of, &of->tiles[t], out);
            out += of->tiles[t].steps * of->channels;
        }
        for (const int8_t *at = kernel_out; at != out; at++) {
            printf("%02x", (unsigned)(uint8_t)*at);
        }
        printf("\n");
    }
    return 0;
}
