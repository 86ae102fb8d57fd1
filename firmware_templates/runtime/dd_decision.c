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

uint8_t dd_choose_level(const dd_level *levels, const dd_error *predicted, uint8_t count,
                        dd_error bound)
{
    for (uint8_t level = count; level > 0; level--) {
        /* Two errors of Q8.24 may add up to more than int32 holds. */
        if ((int64_t)predicted[level - 1] + levels[level - 1].margin <= bound) {
            return level;
        }
    }
    return DD_LEVEL_NONE;
}
