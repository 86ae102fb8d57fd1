#include <stdlib.h>

#include "dd_rice.h"
#include "operations.h"

/* A capacity, then pieces, each behind its count of samples. Reply: the coded samples, or nothing
 * if they did not fit. */
void run_rice(request *from)
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
    const size_t length = dd_rice_end(&coder);
    put(bytes, length <= capacity ? length : 0);
    free(bytes);
}
