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
    int64_t b;
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
    return a < 4096 ? bit_length(9 * **mean / 1024) : smaller(bit_length(9 * a / 64), 15);
}

/* Step 5; false for an escape that was not needed, and for what 16 bits cannot hold. */
static bool take_code(bits *from, int64_t k, int64_t *u)
{
    int64_t q = 0;
    while (q < ESCAPE && take(from, 1) == 1) {
        q++;
    }
    if (q < ESCAPE) {
        *u = (q << k) + take(from, k);
        return *u <= UINT16_MAX;
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

static int64_t predict(const state *now)
{
    int64_t sum = 4096;
    for (int i = 0; i < 4; i++) {
        sum += now->w[i] * now->s[i];
    }
    return now->last + floor_shift(sum, 13);
}

static int64_t as_int16(int64_t value)
{
    return (int16_t)(uint16_t)(uint64_t)value;
}

static int64_t folded(int64_t e)
{
    return e >= 0 ? 2 * e : -2 * e - 1;
}

static int64_t unfolded(int64_t u)
{
    return u % 2 == 0 ? u / 2 : -(u + 1) / 2;
}

static bool next_sample(state *now, bits *from)
{
    const int64_t p = predict(now);
    const size_t begin = from->at;
    int64_t *mean = NULL;
    const int64_t k = parameter(now, &mean);
    int64_t x = 0;
    int64_t u = 0;
    if (now->b < ESCAPE) {
        x = as_int16(take(from, 16));
        u = folded(as_int16(x - p));
    } else if (take_code(from, k, &u)) {
        x = as_int16(p + unfolded(u));
    } else {
        return false;
    }
    now->b += 16 - (int64_t)(from->at - begin);
    *mean += floor_shift(64 * smaller(u, 1023) - *mean + 8, 4);
    if (u != 0) {
        learn(now, unfolded(u));
    }
    remember(now, x, u);
    return true;
}

static bool decode_codes(bits *from, int16_t *samples, size_t count)
{
    state now = {.w = {9830, -1638, 0, 0}, .m = {8, 8, 8}, .b = 64};
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
    bits from = {.bytes = bytes, .count = 8 * length};
    return count > 0 && length <= 2 * count + 8 && decode_codes(&from, samples, count);
}
