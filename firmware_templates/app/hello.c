#include "hello.h"

#include <string.h>

#include "dd_bytes.h"
#include "dd_dot.h"

_Static_assert(APP_TENSORS <= UINT16_MAX && APP_CONSTANTS <= UINT16_MAX,
               "HELLO tells both numbers in 16 bits");
_Static_assert(APP_INPUTS <= UINT8_MAX && APP_OUTPUTS <= UINT8_MAX,
               "HELLO tells both numbers in 8 bits");
_Static_assert(sizeof(BOARD_NAME) <= 256 && sizeof(APP_KIT_VERSION) <= 256,
               "text has an 8-bit length");

static size_t put_text(uint8_t *out, const char *text)
{
    const size_t length = strlen(text);
    out[0] = (uint8_t)length;
    memcpy(&out[1], text, length);
    return length + 1u;
}

size_t dd_hello_write(uint8_t *out, const dd_about *about)
{
    static const uint8_t model_id[8] = APP_MODEL_ID_BYTES;
    out[0] = DD_PROTOCOL_VERSION;
    memcpy(&out[1], model_id, sizeof model_id);
    out[9] = about->application;
    out[10] = APP_STREAMING;
    out[11] = DD_KERNELS;
    out[12] = BOARD_COUNTER_UNIT;
    dd_put_u32(&out[13], BOARD_COUNTER_HZ);
    dd_put_u32(&out[17], APP_SAMPLE_RATE_HZ);
    dd_put_u32(&out[21], about->input_bytes);
    dd_put_u16(&out[25], about->chunk_bytes);
    out[27] = about->inputs;
    out[28] = about->outputs;
    dd_put_u16(&out[29], APP_TENSORS);
    dd_put_u16(&out[31], APP_CONSTANTS);
    dd_put_u16(&out[33], about->request_bytes_max);
    dd_put_u16(&out[35], about->reply_bytes_max);
    out[37] = about->levels;
    out[38] = about->lossless;
    size_t bytes = 39;
    bytes += put_text(&out[bytes], BOARD_NAME);
    bytes += put_text(&out[bytes], APP_KIT_VERSION);
    return bytes;
}
