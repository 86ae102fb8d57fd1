/* The choice of a compression level: integer arithmetic only. */
#ifndef DD_DECISION_H
#define DD_DECISION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors, margins and bounds: Q8.24, 0 to just under 128, in the unit that the model names. */
typedef int32_t dd_error;
#define DD_ERROR_ONE ((dd_error)1 << 24)

/* The bounds at which margins are given, ascending. Between two of them margins are linear, beyond
 * them as at the nearest. */
typedef struct dd_knots {
    const dd_error *bounds;
    uint8_t count; /* 1 or more */
} dd_knots;

/* One compressed level's head output and promise. */
typedef struct dd_level {
    int8_t error_zero_point;
    dd_error error_scale;    /* step of one code of the head's output; 255 of them fit dd_error */
    const dd_error *margins; /* what is added to a predicted error, at each knot */
} dd_level;

/* The predicted error for a head's output `code`, never negative. The highest code stands for
 * itself and all that lies above: it becomes the largest error, which no bound below that admits.
 */
dd_error dd_predicted_error(const dd_level *level, int8_t code);

/* Of levels 1 to `count`, weakest first, the strongest whose predicted error + margin at `bound` is
 * at most `bound`; 0 if none is. */
uint8_t dd_choose_level(const dd_knots *knots, const dd_level *levels, const dd_error *predicted,
                        uint8_t count, dd_error bound);

#ifdef __cplusplus
}
#endif

#endif
