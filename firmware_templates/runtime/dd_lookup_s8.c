#include "dd_lookup_s8.h"

void dd_lookup_s8(const int8_t *table, int8_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        values[i] = table[values[i] + 128];
    }
}
