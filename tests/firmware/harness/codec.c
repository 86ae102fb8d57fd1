#include <stdlib.h>
#include <string.h>

#include "dd_codec.h"
#include "operations.h"

/* A toy: its network is the input map, its levels send the first three codes or the first one, and
 * the fourth code says how large either's error is. The engine can be told to stall. */
#define LENGTH    8
#define MAX       (DD_RICE_BYTES_MAX(LENGTH) + DD_PACKET_OVERHEAD_BYTES)
#define CODED_MAX (3 + DD_PACKET_OVERHEAD_BYTES)
#define BEGIN     0
#define PUSH      1
#define ENCODE    2
#define JUNK      0x55 /* what the caller's memory holds at first */

static uint16_t stall_at;

static void toy_begin(const dd_net *net)
{
    (void)net;
}

static uint32_t toy_room(const dd_net *net)
{
    return net->lines->end < stall_at ? 1 : 0;
}

static dd_status toy_run(const dd_net *net, uint32_t input, uint32_t steps, const dd_trace *trace)
{
    (void)trace;
    net->lines[input].end = (uint16_t)(net->lines[input].end + steps);
    return DD_OK;
}

static const dd_engine toy_engine = {toy_begin, toy_room, toy_run};
static const dd_line_plan toy_line = {.steps = LENGTH, .channels = 1};
static const dd_net_plan toy_net = {.engine = &toy_engine, .lines = &toy_line, .inputs = 1};

static const uint8_t model_id[] = {1, 2, 3, 4};
static const dd_affine_map map = {.offset = 100, .multiplier = 1, .shift = 4};
static const dd_error no_bounds[] = {0}, no_margins[] = {0};
static const dd_level levels[] = {{-128, 1 << 16, no_margins}, {-128, 1 << 17, no_margins}};
static const dd_output outputs[] = {{0, 3, 3}, {0, 3, 1}};

static dd_codec_plan toy_plan(bool lossless)
{
    return (dd_codec_plan){
        .model_id = model_id,
        .map = dd_map_affine,
        .map_by = &map,
        .knots = {no_bounds, 1},
        .levels = levels,
        .outputs = outputs,
        .lossless = lossless ? &dd_rice_lossless : NULL,
        .level_count = 2,
        .segment_length = LENGTH,
        .packet_bytes_coded = CODED_MAX,
        .packet_bytes_max = lossless ? MAX : CODED_MAX,
    };
}

/* Status, what was taken, the number of the next packet; then the whole buffer as it is now. */
static void put_outcome(dd_status status, size_t taken, const dd_codec *codec,
                        const dd_packet *packet)
{
    put_u8((uint8_t)status);
    put_u16((uint16_t)taken);
    put_u16(codec->state->sequence);
    put_u8(packet->level);
    put_u16(packet->clipped);
    put_u16((uint16_t)packet->length);
    put(packet->bytes, packet->capacity);
}

/* Lossless u8, where to stall u16, capacity u16, bound s32; then calls: kind u8, count u16,
 * samples. Reply: the outcome of each. */
void run_codec(request *from)
{
    static dd_codec_state state;
    static dd_rice coder;
    static dd_error predicted[2];
    static int8_t values[LENGTH];
    static dd_line line;
    static uint16_t counts[2];
    const dd_codec_plan plan = toy_plan(take_u8(from) != 0);
    const dd_codec codec = {
        .plan = &plan,
        .state = &state,
        .net = {&toy_net, &line, counts, values},
        .coder = &coder,
        .predicted = predicted,
    };
    memset(&state, JUNK, sizeof state);
    memset(&coder, JUNK, sizeof coder);
    memset(values, JUNK, sizeof values);
    stall_at = take_u16(from);
    const size_t capacity = take_u16(from);
    const dd_error bound = take_s32(from);
    dd_packet packet = {.bytes = exact_block(capacity), .capacity = capacity};
    memset(packet.bytes, 0, capacity);
    dd_codec_init(&codec, 0x1234);
    while (from->left != 0) {
        const uint8_t kind = take_u8(from);
        const size_t count = take_u16(from);
        int16_t *const samples = take_block(from, count * sizeof(int16_t));
        size_t taken = 0;
        dd_status status = DD_OK;
        if (kind == BEGIN) {
            status = dd_codec_begin(&codec, bound, &packet);
        } else if (kind == PUSH) {
            status = dd_codec_push(&codec, samples, count, &taken);
        } else {
            status = dd_codec_encode(&codec, samples, count, bound, &packet);
        }
        put_outcome(status, taken, &codec, &packet);
        free(samples);
    }
    free(packet.bytes);
}
