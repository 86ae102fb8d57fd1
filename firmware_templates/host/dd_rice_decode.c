#include "dd_rice_decode.h"

#include "dd_rice_model.h"

#include <string.h>

typedef struct reader {
    const uint8_t *bytes;
    size_t length; /* of the bytes */
    size_t at;     /* the next bit, beyond the end where too much was taken */
} reader;

/* The next 57 bits or more, at the top; behind the end there are zeros. */
static uint64_t next_bits(const reader *from)
{
    const size_t place = from->at >> 3;
    uint64_t word = 0;
    for (size_t i = 0; i < 8u; i++) {
        word = word << 8 | (place + i < from->length ? from->bytes[place + i] : 0u);
    }
    return word << (from->at & 7u);
}

/* The ones that a code begins with, at most ESCAPE. */
static uint32_t leading_ones(uint64_t bits)
{
    return ESCAPE - bit_length(~(uint32_t)(bits >> (64u - ESCAPE)) & ((1u << ESCAPE) - 1u));
}

static uint32_t take_sample(reader *from)
{
    const uint32_t taken = (uint32_t)(next_bits(from) >> (64 - SAMPLE_BITS));
    from->at += SAMPLE_BITS;
    return taken;
}

/* Take a code; false if it is one that no encoder writes. */
static bool take_code(reader *from, uint32_t parameter, uint32_t *folded)
{
    const uint64_t bits = next_bits(from);
    const uint32_t ones = leading_ones(bits);
    const bool escaped = ones == ESCAPE;
    const uint32_t prefix = escaped ? ESCAPE : ones + 1u;
    const uint32_t rest_bits = escaped ? 16u : parameter;
    const uint32_t rest = (uint32_t)(bits << prefix >> 32) >> 1 >> (31u - rest_bits);
    from->at += prefix + rest_bits;
    *folded = escaped ? rest : (ones << parameter) + rest;
    return escaped ? rest >> parameter >= ESCAPE : *folded <= UINT16_MAX;
}

/* The value modulo 2^16, as int16. */
static int32_t wrapped(int32_t value)
{
    return (int32_t)(((uint32_t)value & 0xFFFFu) ^ 0x8000u) - 0x8000;
}

static int32_t unfolded(uint32_t folded)
{
    const int32_t half = (int32_t)(folded >> 1);
    return (folded & 1u) != 0u ? -half - 1 : half;
}

static bool take_one(dd_rice *coder, reader *from)
{
    const int32_t predicted = predict(coder);
    const uint32_t activity = 2u * coder->missed[0] + coder->missed[1] + coder->missed[2];
    uint16_t *mean = mean_of(coder, activity);
    const size_t begin = from->at;
    uint32_t folded = 0;
    int32_t missed = 0;
    if (may_be_coded(coder)) {
        if (!take_code(from, parameter_of(*mean, activity), &folded)) {
            return false;
        }
        missed = unfolded(folded);
        coder->spare_bits += SAMPLE_BITS - (int32_t)(from->at - begin);
    } else {
        missed = wrapped((int32_t)take_sample(from) - predicted);
        folded = missed < 0 ? 2u * magnitude(missed) - 1u : 2u * (uint32_t)missed;
    }
    take_note(coder, mean, (int16_t)wrapped(predicted + missed), missed, folded);
    return from->at <= 8u * from->length;
}

/* Whether all was taken but the last byte's rest, which is 0. */
static bool is_at_end(const reader *from)
{
    return 8u * from->length - from->at < 8u && next_bits(from) == 0u;
}

bool dd_rice_decode(const uint8_t *bytes, size_t length, int16_t *samples, size_t count)
{
    if (count == 0u || length < 2u) {
        return false;
    }
    dd_rice coder = dd_rice_fresh;
    reader from = {.bytes = bytes, .length = length};
    coder.last = (int16_t)wrapped((int32_t)take_sample(&from));
    samples[0] = coder.last;
    for (size_t i = 1; i < count; i++) {
        if (!take_one(&coder, &from)) {
            return false;
        }
        samples[i] = coder.last;
    }
    return is_at_end(&from);
}

void dd_rice_decode_all(const uint8_t *bytes, const int64_t *offsets, size_t segments,
                        int16_t *samples, size_t count, uint8_t *right)
{
    for (size_t i = 0; i < segments; i++) {
        const size_t length = (size_t)(offsets[i + 1] - offsets[i]);
        int16_t *segment = samples + i * count;
        right[i] = dd_rice_decode(bytes + offsets[i], length, segment, count);
        if (right[i] == 0u) {
            memset(segment, 0, count * sizeof *segment);
        }
    }
}
