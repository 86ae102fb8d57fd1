#include <stdlib.h>

#include "dd_runtime.h"
#include "operations.h"

/* Reply: the coded samples, in a buffer of exactly the promised size. */
void run_rice_encode(request *from)
{
    const size_t count = from->left / sizeof(int16_t);
    int16_t *samples = take_block(from, count * sizeof(int16_t));
    uint8_t *bytes = exact_block(DD_RICE_BYTES_MAX(count));
    put(bytes, dd_rice_encode(samples, count, bytes));
    free(bytes);
    free(samples);
}

/* A capacity, then pieces, each behind its count of samples. Reply: the coded samples, or nothing
 * if they did not fit. */
void run_rice_push(request *from)
{
    const size_t capacity = take_u32(from);
    uint8_t *bytes = exact_block(capacity);
    dd_rice coder;
    dd_rice_begin(&coder, bytes, capacity);
    while (from->left != 0) {
        const size_t count = take_u16(from);
        int16_t *samples = take_block(from, count * sizeof(int16_t));
        dd_rice_push(&coder, samples, count);
        free(samples);
    }
    put(bytes, dd_rice_end(&coder));
    free(bytes);
}
