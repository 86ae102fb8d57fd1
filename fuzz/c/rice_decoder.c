#include "rice_decoder.h"

#include <stdlib.h>

#define ROWS       12
#define COLUMNS    6
#define ESCAPE     20
#define STEP_MAX   8191
#define WEIGHT_MAX 32767

/* What docs/packet.md calls the state. */
typedef struct state {
    int64_t s[4];
    int64_t w[4];
    int64_t m[3];
    int64_t mean[ROWS][COLUMNS];
    int64_t last;
} state;

typedef struct bits {
    const uint8_t *bytes;
    size_t count;
    size_t at;
    bool ran_out;
} bits;

static int64_t bit_length(int64_t value)
{
    int64_t length = 0;
    for (; value > 0; value /= 2) {
        length++;
    }
    return length;
}

static int64_t limited(int64_t value, int64_t limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Divide by 2^by, rounding towards minus infinity. */
static int64_t floor_shift(int64_t value, int by)
{
    const int64_t divisor = (int64_t)1 << by;
    return value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);
}

static int64_t take(bits *from, int64_t count)
{
    int64_t value = 0;
    for (int64_t i = 0; i < count; i++) {
        from->ran_out = from->ran_out || from->at >= from->count;
        if (from->ran_out) {
            return 0;
        }
        value = 2 * value + ((from->bytes[from->at / 8] >> (7 - from->at % 8)) & 1);
        from->at++;
    }
    return value;
}

/* Step 3 and 4: where the mean lies, and the parameter that it gives. */
static int64_t parameter(state *now, int64_t **mean)
{
    const int64_t a = 2 * now->m[0] + now->m[1] + now->m[2];
    const int64_t slope = llabs(now->s[0]);
    *mean = &now->mean[smaller(bit_length(a), ROWS - 1)]
                      [smaller((bit_length(slope) + 1) / 2, COLUMNS - 1)];
    if (**mean == 0) {
        **mean = smaller(16 * a + 4 * slope + 1, 65535);
    }
    return bit_length(9 * **mean / 1024);
}

/* Step 5; false for an escape that was not needed. */
static bool take_code(bits *from, int64_t k, int64_t *u)
{
    int64_t q = 0;
    while (q < ESCAPE && take(from, 1) == 1) {
        q++;
    }
    if (q < ESCAPE) {
        *u = (q << k) + take(from, k);
        return true;
    }
    *u = take(from, 16);
    return *u >> k >= ESCAPE;
}

static void learn(state *now, int64_t e)
{
    int64_t sum = 4;
    for (int i = 0; i < 4; i++) {
        sum += llabs(now->s[i]);
    }
    const int64_t h = bit_length(sum) - 1;
    for (int i = 0; i < 4; i++) {
        const int64_t by = 128 * llabs(now->s[i]) >> h;
        const bool grows = (now->s[i] < 0) == (e < 0);
        now->w[i] = limited(now->w[i] + (grows ? by : -by), WEIGHT_MAX);
    }
}

static void remember(state *now, int64_t x, int64_t u)
{
    for (int i = 3; i > 0; i--) {
        now->s[i] = now->s[i - 1];
    }
    now->s[0] = limited(x - now->last, STEP_MAX);
    now->m[2] = now->m[1];
    now->m[1] = now->m[0];
    now->m[0] = u;
    now->last = x;
}

static bool next_sample(state *now, bits *from)
{
    int64_t sum = 4096;
    for (int i = 0; i < 4; i++) {
        sum += now->w[i] * now->s[i];
    }
    const int64_t p = now->last + floor_shift(sum, 13);
    int64_t *mean = NULL;
    int64_t u = 0;
    const int64_t k = parameter(now, &mean);
    if (!take_code(from, k, &u)) {
        return false;
    }
    const int64_t e = u % 2 == 0 ? u / 2 : -(u + 1) / 2;
    const int64_t x = (int16_t)(uint16_t)(uint64_t)(p + e);
    *mean += floor_shift(64 * smaller(u, 1023) - *mean + 8, 4);
    if (e != 0) {
        learn(now, e);
    }
    remember(now, x, u);
    return true;
}

static bool decode_codes(bits *from, int16_t *samples, size_t count)
{
    state now = {.w = {9830, -1638, 0, 0}, .m = {8, 8, 8}};
    samples[0] = (int16_t)take(from, 16);
    now.last = samples[0];
    for (size_t i = 1; i < count; i++) {
        if (!next_sample(&now, from)) {
            return false;
        }
        samples[i] = (int16_t)now.last;
    }
    if (from->ran_out || from->count - from->at > 7) {
        return false;
    }
    return take(from, (int64_t)(from->count - from->at)) == 0;
}

bool rice_decode(const uint8_t *bytes, size_t length, int16_t *samples, size_t count)
{
    if (length == 2 * count + 1 && bytes[0] == 0) {
        for (size_t i = 0; i < count; i++) {
            samples[i] = (int16_t)(uint16_t)(bytes[1 + 2 * i] | bytes[2 + 2 * i] << 8);
        }
        return true;
    }
    if (length < 3 || length > 2 * count || bytes[0] != 1) {
        return false;
    }
    bits from = {.bytes = bytes + 1, .count = 8 * (length - 1)};
    return decode_codes(&from, samples, count);
}
