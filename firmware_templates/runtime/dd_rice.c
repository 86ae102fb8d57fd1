#include "dd_rice.h"

#include "dd_rice_model.h"

#include <assert.h>

static_assert(ESCAPE + 1u + 7u <= 32u, "put_bits keeps up to 7 bits and takes a whole prefix");

/* Write the low `count` bits of `value`, 0 to 25 of them, the highest first. */
static void put_bits(dd_rice *coder, uint32_t value, uint32_t count)
{
    coder->bits = coder->bits << count | value;
    uint32_t left = coder->bit_count + count;
    while (left >= 8u) {
        left -= 8u;
        if (coder->length < coder->capacity) {
            coder->bytes[coder->length] = (uint8_t)(coder->bits >> left);
        }
        coder->length++;
    }
    coder->bits &= (1u << left) - 1u;
    coder->bit_count = (uint8_t)left;
}

/* Write a value's code and return its bits. */
static uint32_t put_rice(dd_rice *coder, uint32_t value, uint32_t parameter)
{
    const uint32_t ones = value >> parameter;
    if (ones >= ESCAPE) {
        put_bits(coder, (1u << ESCAPE) - 1u, ESCAPE);
        put_bits(coder, value, 16);
        return ESCAPE + 16u;
    }
    put_bits(coder, ((1u << ones) - 1u) << 1, ones + 1u);
    put_bits(coder, value & ((1u << parameter) - 1u), parameter);
    return ones + 1u + parameter;
}

static void push_one(dd_rice *coder, int16_t sample)
{
    /* Modulo 2^16, which the decoder undoes: any prediction serves any sample. */
    const uint32_t wrapped = (uint32_t)(sample - predict(coder)) & 0xFFFFu;
    const int32_t missed = (int32_t)(wrapped ^ 0x8000u) - 0x8000;
    const uint32_t folded = missed < 0 ? 2u * magnitude(missed) - 1u : 2u * (uint32_t)missed;
    const uint32_t activity = 2u * coder->missed[0] + coder->missed[1] + coder->missed[2];
    uint16_t *mean = mean_of(coder, activity);
    if (may_be_coded(coder)) {
        const uint32_t bits = put_rice(coder, folded, parameter_of(*mean, activity));
        coder->spare_bits += SAMPLE_BITS - (int32_t)bits;
    } else {
        put_bits(coder, (uint16_t)sample, SAMPLE_BITS);
    }
    take_note(coder, mean, sample, missed, folded);
}

void dd_rice_begin(dd_rice *coder, uint8_t *bytes, size_t capacity)
{
    *coder = dd_rice_fresh;
    coder->bytes = bytes;
    coder->capacity = capacity;
}

void dd_rice_push(dd_rice *coder, const int16_t *samples, size_t count)
{
    size_t i = 0;
    if (!coder->begun && count > 0u) {
        put_bits(coder, (uint16_t)samples[0], SAMPLE_BITS);
        coder->last = samples[0];
        coder->begun = true;
        i = 1;
    }
    for (; i < count; i++) {
        push_one(coder, samples[i]);
    }
}

size_t dd_rice_end(dd_rice *coder)
{
    put_bits(coder, 0, (8u - coder->bit_count) % 8u);
    return coder->length;
}

const dd_lossless dd_rice_lossless = {
    .begin = dd_rice_begin,
    .push = dd_rice_push,
    .end = dd_rice_end,
};
