/* What a fuzz target reads from its input: numbers and blocks, and zeros once it is used up. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fuzz_input {
    const uint8_t *data;
    size_t left;
} fuzz_input;

/* Stop here with the reason: libFuzzer keeps the input that led to it. */
#define FUZZ_REQUIRE(condition)                                                     \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

/* Copy up to `count` bytes into `out`, whose rest becomes 0; returns how many there were. */
static inline size_t fuzz_take(fuzz_input *input, void *out, size_t count)
{
    const size_t found = count < input->left ? count : input->left;
    memset(out, 0, count);
    memcpy(out, input->data, found);
    input->data += found;
    input->left -= found;
    return found;
}

static inline uint8_t fuzz_u8(fuzz_input *input)
{
    uint8_t value = 0;
    (void)fuzz_take(input, &value, sizeof value);
    return value;
}

static inline uint16_t fuzz_u16(fuzz_input *input)
{
    uint16_t value = 0;
    (void)fuzz_take(input, &value, sizeof value);
    return value;
}

static inline uint32_t fuzz_u32(fuzz_input *input)
{
    uint32_t value = 0;
    (void)fuzz_take(input, &value, sizeof value);
    return value;
}

/* A block of exactly `count` bytes (a byte if 0), so that AddressSanitizer guards both its ends. */
static inline void *fuzz_block(size_t count)
{
    void *block = malloc(count == 0 ? 1 : count);
    FUZZ_REQUIRE(block != NULL);
    return block;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
