/* dd_rice: any samples, in any pieces, come back from the codes; nothing is written beyond the
 * capacity, and pieces give the bytes of the whole. */
#include "dd_rice.h"
#include "dd_rice_decode.h"
#include "input.h"
#include "rice_decoder.h"

#define SAMPLES_MAX 4096u

/* Samples of a few kinds, as the input chooses: as they are, small, or steps that add up. */
static int16_t *take_samples(fuzz_input *input, size_t count, uint8_t kind)
{
    int16_t *samples = fuzz_block(count * sizeof *samples);
    uint16_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        const uint16_t raw =
            kind % 4u == 0u ? fuzz_u16(input) : (uint16_t)(int16_t)(int8_t)fuzz_u8(input);
        sum = (uint16_t)(sum + raw);
        samples[i] = (int16_t)(kind % 4u == 3u ? sum : raw);
    }
    return samples;
}

/* Code all samples at once into `bytes`, of DD_RICE_BYTES_MAX(count). */
static size_t encode(const int16_t *samples, size_t count, uint8_t *bytes)
{
    dd_rice coder;
    dd_rice_begin(&coder, bytes, DD_RICE_BYTES_MAX(count));
    dd_rice_push(&coder, samples, count);
    return dd_rice_end(&coder);
}

static void check_whole(const int16_t *samples, size_t count)
{
    uint8_t *bytes = fuzz_block(DD_RICE_BYTES_MAX(count));
    int16_t *back = fuzz_block(count * sizeof *back);
    const size_t length = encode(samples, count, bytes);
    FUZZ_REQUIRE(length > 0 && length <= DD_RICE_BYTES_MAX(count));
    FUZZ_REQUIRE(rice_decode(bytes, length, back, count));
    FUZZ_REQUIRE(memcmp(back, samples, count * sizeof *back) == 0);
    free(back);
    free(bytes);
}

static void check_pieces(fuzz_input *cuts, const int16_t *samples, size_t count, size_t capacity)
{
    uint8_t *whole = fuzz_block(DD_RICE_BYTES_MAX(count));
    uint8_t *bytes = fuzz_block(capacity);
    const size_t expected = encode(samples, count, whole);
    dd_rice coder;
    dd_rice_begin(&coder, bytes, capacity);
    for (size_t done = 0; done < count;) {
        const size_t wanted = cuts->left == 0 ? count : fuzz_u8(cuts);
        const size_t piece = wanted < count - done ? wanted : count - done;
        dd_rice_push(&coder, samples + done, piece);
        done += piece;
    }
    FUZZ_REQUIRE(dd_rice_end(&coder) == expected);
    if (expected <= capacity) {
        FUZZ_REQUIRE(memcmp(bytes, whole, expected) == 0);
    }
    free(bytes);
    free(whole);
}

/* The receiver's decoder decodes and refuses what the one written from the page does, and there is
 * one way to code samples: what decodes is what the encoder writes. */
static void check_codes(const uint8_t *bytes, size_t length, size_t count)
{
    int16_t *samples = fuzz_block(count * sizeof *samples);
    int16_t *fast = fuzz_block(count * sizeof *fast);
    const bool right = rice_decode(bytes, length, samples, count);
    FUZZ_REQUIRE(dd_rice_decode(bytes, length, fast, count) == right);
    if (right) {
        FUZZ_REQUIRE(memcmp(fast, samples, count * sizeof *fast) == 0);
        uint8_t *again = fuzz_block(DD_RICE_BYTES_MAX(count));
        FUZZ_REQUIRE(encode(samples, count, again) == length);
        FUZZ_REQUIRE(memcmp(again, bytes, length) == 0);
        free(again);
    }
    free(fast);
    free(samples);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    const uint8_t kind = fuzz_u8(&input);
    const size_t capacity = 1u + fuzz_u16(&input) % (2u * SAMPLES_MAX + 8u);
    uint8_t lengths[8];
    (void)fuzz_take(&input, lengths, sizeof lengths);
    fuzz_input cuts = {lengths, sizeof lengths};
    check_codes(input.data, input.left, 1u + lengths[0]);
    const size_t per_sample = kind % 4u == 0u ? 2 : 1;
    const size_t there = input.left / per_sample;
    const size_t count = there < SAMPLES_MAX ? there : SAMPLES_MAX;
    int16_t *samples = take_samples(&input, count, kind);
    if (count > 0) {
        check_whole(samples, count);
        check_pieces(&cuts, samples, count, capacity);
    }
    free(samples);
    return 0;
}
