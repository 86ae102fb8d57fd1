#include "dd_store_tile.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "dd_inline.h"
#include "dd_requant.h"

/* A vector holds the four steps of a tile. */
#if defined(__ARM_FEATURE_MVE) && DD_TILE == 4
#define STORE_VECTORS 1
#include <arm_mve.h>
#else
#define STORE_VECTORS 0
#endif

static_assert(DD_TILE == 2 || DD_TILE == 4, "store_codes stores two or four steps");

/* Of a tile. */
typedef struct tile_part {
    uint32_t channel; /* the first that is stored */
    uint32_t end;     /* behind the last one */
    uint32_t steps;
} tile_part;

/* dd_requantize for multiplier >= 0. */
static inline int32_t scale(int32_t sum, int32_t multiplier, int32_t shift)
{
    const int32_t high =
        dd_multiply_high_positive(shift > 0 ? dd_shift_left(sum, shift) : sum, multiplier);
    return shift < 0 ? dd_shift_right(high, -shift) : high;
}

DD_RARE static void store_channel(const dd_conv1d *layer, const int8_t *table, const int32_t *sums,
                                  uint32_t channel, uint32_t steps, int8_t *out)
{
    const int32_t multiplier = layer->multiplier[channel];
    const int32_t shift = layer->shift[channel];
    const int32_t zero_point = layer->out_zero_point;
    for (uint32_t step = 0; step < steps; step++) {
        const int32_t sum = dd_add(sums[step], layer->bias[channel]);
        const int32_t scaled = scale(sum, multiplier, shift);
        const int32_t code =
            dd_clamp(scaled, layer->out_min - zero_point, layer->out_max - zero_point) + zero_point;
        *out = table == NULL ? (int8_t)code : table[code + 128];
        out += layer->out_channels;
    }
}

/* How one channel's sums become codes: what dd_requantize_index takes. */
typedef struct scaling {
    const int8_t *table;
    int32_t bias;
    int32_t multiplier;
    int32_t exponent;
    int32_t offset;
} scaling;

/* What the fast ones ask for is not always there: the first `steps` of a tile, with a clamp, and
 * with a table or without. */
static inline void store_clamped(const dd_conv1d *layer, const scaling *by, const int32_t *sums,
                                 uint32_t steps, int8_t *out)
{
    const int32_t least = layer->out_min + 128;
    const int32_t most = layer->out_max + 128;
    const uint32_t hop = layer->out_channels;
    for (; steps != 0; steps--) {
        const int32_t sum = dd_add(*sums++, by->bias);
        const int32_t high = dd_multiply_high_positive(sum, by->multiplier);
        const int32_t any = dd_any_index_of_high(high, by->exponent, by->offset);
        const int32_t index = dd_clamp(any, least, most);
        *out = by->table == NULL ? (int8_t)(index - 128) : by->table[index];
        out += hop;
    }
}

static uint32_t store_channels_clamped(const dd_conv1d *layer, const int8_t *table,
                                       const int32_t *sums, const tile_part *part, int8_t *out)
{
    scaling by = {.table = table, .offset = dd_index_offset(layer->out_zero_point)};
    uint32_t channel = part->channel;
    for (; channel < part->end && layer->shift[channel] <= -2; channel++) {
        by.exponent = -layer->shift[channel];
        by.multiplier = layer->multiplier[channel];
        by.bias = layer->bias[channel];
        store_clamped(layer, &by, sums, part->steps, out + channel);
        sums += DD_TILE;
    }
    return channel;
}

#if STORE_VECTORS
static bool is_fast(const int8_t *shift, uint32_t count)
{
    int8_t largest = INT8_MIN;
    for (uint32_t i = 0; i < count; i += 16) {
        const mve_pred16_t active = vctp8q(count - i);
        largest = vmaxvq_p_s8(largest, vldrbq_z_s8(shift + i, active), active);
    }
    return largest <= -2;
}

/* The same for the four steps of a tile at a time, where all shifts are for dd_requantize_index:
 * the vector multiplication rounds as dd_multiply_high does. */
static inline uint32_t store_vectors(const dd_conv1d *layer, const int8_t *table,
                                     const int32_t *sums, const tile_part *part, bool whole,
                                     int8_t *out)
{
    const uint32x4_t hops = vmulq_n_u32(vidupq_n_u32(0, 1), layer->out_channels);
    const int32x4_t least = vdupq_n_s32(layer->out_min + 128);
    const int32x4_t most = vdupq_n_s32(layer->out_max + 128);
    const mve_pred16_t active = vctp32q(part->steps);
    const int32_t middle = layer->out_zero_point + 128;
    const int32_t *bias = layer->bias + part->channel;
    const int32_t *multiplier = layer->multiplier + part->channel;
    const int8_t *shift = layer->shift + part->channel;
    int8_t *at = out + part->channel;
    if (!is_fast(shift, part->end - part->channel)) {
        return part->channel;
    }
    for (uint32_t left = part->end - part->channel; left != 0; left--) {
        const int32x4_t sum = vaddq_n_s32(vldrwq_s32(sums), *bias++);
        const int32x4_t high = vqrdmulhq_n_s32(sum, *multiplier++);
        const int32x4_t away = vaddq_s32(high, vshrq_n_s32(high, 31));
        const int32x4_t index = vaddq_n_s32(vrshlq_n_s32(away, *shift++), middle);
        const int32x4_t code = vminq_s32(vmaxq_s32(index, least), most);
        const int32x4_t value = table == NULL
                                    ? vaddq_n_s32(code, -128)
                                    : vldrbq_gather_offset_s32(table, vreinterpretq_u32_s32(code));
        if (whole) {
            vstrbq_scatter_offset_s32(at++, hops, value);
        } else {
            vstrbq_scatter_offset_p_s32(at++, hops, value, active);
        }
        sums += DD_TILE;
    }
    return part->end;
}

static uint32_t store_channels_vector(const dd_conv1d *layer, const int8_t *table,
                                      const int32_t *sums, const tile_part *part, int8_t *out)
{
    if (table == NULL) {
        return store_vectors(layer, NULL, sums, part, false, out);
    }
    return part->steps == DD_TILE ? store_vectors(layer, table, sums, part, true, out)
                                  : store_vectors(layer, table, sums, part, false, out);
}
#endif

DD_NEVER_INLINE static void store_any(const dd_conv1d *layer, const int8_t *table,
                                      const int32_t *sums, const dd_tile_part *which)
{
    int8_t *const out = which->out;
    tile_part part = {which->first, which->first + which->count, which->steps};
    while (part.channel < part.end) {
        uint32_t before = part.channel;
#if STORE_VECTORS
        part.channel = store_channels_vector(layer, table, sums, &part, out);
        sums += (part.channel - before) * DD_TILE;
        before = part.channel;
#endif
        part.channel = store_channels_clamped(layer, table, sums, &part, out);
        sums += (part.channel - before) * DD_TILE;
        if (part.channel < part.end) {
            store_channel(layer, table, sums, part.channel, part.steps, out + part.channel);
            sums += DD_TILE;
            part.channel++;
        }
    }
}

void dd_store_tile(const dd_conv1d *layer, const int8_t *table, const int32_t *sums,
                   const dd_tile_part *part)
{
#if !STORE_VECTORS
    if (layer->doubles && part->steps == DD_TILE && table != NULL && layer->out_min == INT8_MIN &&
        layer->out_max == INT8_MAX) {
        dd_store_doubled(layer, table, sums, part);
        return;
    }
#endif
    store_any(layer, table, sums, part);
}
