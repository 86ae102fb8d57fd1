#include "dd_codec.h"

dd_status dd_codec_stream(const dd_codec *codec, const int16_t *samples, size_t count,
                          size_t *taken)
{
    const dd_trace *const trace = codec->state->trace;
    const dd_stream stream = {
        .plan = codec->plan->stream,
        .lines = codec->lines,
        .values = codec->values,
    };
    if (codec->state->taken == 0) {
        dd_stream_begin(&stream);
    }
    dd_status status = DD_OK;
    *taken = 0;
    while (status == DD_OK && *taken < count) {
        const uint32_t room = dd_stream_room(&stream);
        if (room == 0) {
            break;
        }
        const uint32_t now = count - *taken < room ? (uint32_t)(count - *taken) : room;
        int8_t *const codes = dd_stream_space(&stream);
        const uint32_t clipped = dd_map_affine(codec->plan->map, samples + *taken, codes, now);
        codec->state->clipped = (uint16_t)(codec->state->clipped + clipped);
        *taken += now;
        status = dd_report(trace, 0, codes, now);
        if (status == DD_OK) {
            status = dd_stream_run(&stream, now, trace);
        }
    }
    return status;
}
