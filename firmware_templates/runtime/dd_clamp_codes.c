#include "dd_clamp_codes.h"

#include "dd_requant.h"
#include "dd_simd.h"

void dd_clamp_codes(int8_t *codes, uint32_t count, int8_t low, int8_t high)
{
#if DD_KERNELS == DD_KERNELS_DSP
    const uint32_t lows = (uint8_t)low * 0x01010101u;
    const uint32_t highs = (uint8_t)high * 0x01010101u;
    for (; count >= 4; count -= 4) {
        dd_put_four(codes, dd_min_bytes(dd_max_bytes(dd_four(codes), lows), highs));
        codes += 4;
    }
#endif
    for (; count != 0; count--) {
        *codes = (int8_t)dd_clamp(*codes, low, high);
        codes++;
    }
}
