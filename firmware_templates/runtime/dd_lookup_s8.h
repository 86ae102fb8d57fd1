/* An int8 function of one variable, as a table. */
#ifndef DD_LOOKUP_S8_H
#define DD_LOOKUP_S8_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Replace each of `count` values by its entry of `table` [256] (index: value + 128), in place. */
void dd_lookup_s8(const int8_t *table, int8_t *values, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
