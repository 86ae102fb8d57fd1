#include "dd_decision.h"

#include "dd_packet.h"

dd_error dd_predicted_error(const dd_level *level, int8_t code)
{
    if (code == INT8_MAX) {
        return INT32_MAX;
    }
    const int32_t steps = code - level->error_zero_point;
    return steps > 0 ? steps * level->error_scale : 0;
}

/* Where a bound lies: at a knot, or a fraction of the way from there to the next one. */
typedef struct place {
    uint8_t knot;
    uint32_t fraction; /* of FRACTION_ONE, rounded down */
} place;

#define FRACTION_BITS 16
#define FRACTION_ONE  ((uint32_t)1 << FRACTION_BITS)

static place place_of(const dd_knots *knots, dd_error bound)
{
    place at = {0, 0};
    while (at.knot + 1 < knots->count && knots->bounds[at.knot + 1] <= bound) {
        at.knot++;
    }
    if (at.knot + 1 < knots->count && knots->bounds[at.knot] < bound) {
        uint32_t part = (uint32_t)(bound - knots->bounds[at.knot]);
        uint32_t whole = (uint32_t)(knots->bounds[at.knot + 1] - knots->bounds[at.knot]);
        while (whole >= FRACTION_ONE) { /* a division of 32 bits: one of 64 is a library call */
            part >>= 1;
            whole >>= 1;
        }
        at.fraction = (part << FRACTION_BITS) / whole;
    }
    return at;
}

static dd_error margin_at(const dd_error *margins, place at)
{
    const dd_error margin = margins[at.knot];
    if (at.fraction == 0) { /* there may be no next knot */
        return margin;
    }
    const int64_t step = (int64_t)margins[at.knot + 1] - margin;
    return (dd_error)(margin + ((step * at.fraction) >> FRACTION_BITS));
}

uint8_t dd_choose_level(const dd_knots *knots, const dd_level *levels, const dd_error *predicted,
                        uint8_t count, dd_error bound)
{
    const place at = place_of(knots, bound);
    for (uint8_t level = count; level > 0; level--) {
        /* Two errors of Q8.24 may add up to more than int32 holds. */
        if ((int64_t)predicted[level - 1] + margin_at(levels[level - 1].margins, at) <= bound) {
            return level;
        }
    }
    return DD_LEVEL_NONE;
}
