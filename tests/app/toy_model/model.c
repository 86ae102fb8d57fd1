/* Tensors: 0 "segment" = low byte of each sample; 1 "toy/conv" = +1; 2 "toy/silu" = inverted;
 * 3 "head/conv" = two sums. Predicted error of level n is n x 4; the packet's payload is the
 * level's first 62 or 31 codes of tensor 2. Some first samples make it misbehave, as broken
 * firmware would. */
#include "model_codec.h"

#include <string.h>

#include "dd_net.h"
#include "model_debug.h"

#define CRASH_BY_TRAP      32767
#define CRASH_BY_STACK     32766
#define HANG               32765
#define CRASH_BY_ASSERTION 32764 /* the application's: it excludes a packet in a traced run */
#define CRASH_BY_ADDRESS   32763
#define STARVE_WATCHDOG    32762 /* of the MPS2 boards */

static const int8_t weights[5] = {1, -2, 3, -4, 5};
static const int32_t bias[2] = {1000, -1000};
const dd_constant model_constants[MODEL_CONSTANTS] = {{weights, sizeof weights},
                                                      {bias, sizeof bias}};

dd_status model_encoder_init(model_encoder *encoder, uint16_t stream)
{
    encoder->state = (dd_codec_state){.stream = stream};
    return DD_OK;
}

static int deep(volatile int *above)
{
    volatile int here[64];
    here[0] = above[0] + 1;
    return here[0] > 0 ? deep(here) + here[1] : 0;
}

#if defined(__arm__)
#define SCB_VTOR         (*(volatile uint32_t *)(uintptr_t)0xE000ED08u)
#define WATCHDOG(offset) (*(volatile uint32_t *)(uintptr_t)(0x40008000u + (offset)))

static void spin(void)
{
    for (;;) {
    }
}

/* Set the CMSDK watchdog and never feed it: first its NMI, which is spun away, then the reset. */
static void starve_watchdog(void)
{
    static void (*const vectors[16])(void) __attribute__((aligned(128))) = {[2] = spin, [3] = spin};
    SCB_VTOR = (uint32_t)(uintptr_t)vectors;
    WATCHDOG(0xC00u) = 0x1ACCE551u;
    WATCHDOG(0x000u) = 25000u;
    WATCHDOG(0x008u) = 3u;
    spin();
}
#endif

static void misbehave(int16_t order)
{
    volatile int start[1] = {1};
    switch (order) {
    case CRASH_BY_TRAP:
        __builtin_trap();
    case CRASH_BY_STACK:
        (void)deep(start);
        break;
    case HANG:
        while (start[0] != 0) {
        }
        break;
    case CRASH_BY_ADDRESS:
        *(volatile uint32_t *)(uintptr_t)0xF0000000u = 1;
        break;
#if defined(__arm__)
    case STARVE_WATCHDOG:
        starve_watchdog();
        break;
#endif
    default:
        break;
    }
}

static dd_status layers(model_encoder *encoder, const int16_t *segment)
{
    int8_t *values = encoder->arena;
    for (size_t i = 0; i < MODEL_SEGMENT_LENGTH; i++) {
        values[i] = (int8_t)segment[i];
    }
    dd_status status = dd_report(encoder->state.trace, 0, values, MODEL_SEGMENT_LENGTH);
    for (size_t i = 0; i < MODEL_SEGMENT_LENGTH; i++) {
        values[i] = (int8_t)(values[i] + 1);
    }
    if (status == DD_OK && encoder->state.trace != NULL && encoder->state.trace->unfused) {
        status = dd_report(encoder->state.trace, 1, values, MODEL_SEGMENT_LENGTH);
    }
    for (size_t i = 0; i < MODEL_SEGMENT_LENGTH; i++) {
        values[i] = (int8_t)~values[i];
    }
    if (status == DD_OK) {
        status = dd_report(encoder->state.trace, 2, values, MODEL_SEGMENT_LENGTH);
    }
    int8_t head[2] = {(int8_t)(values[0] + values[1]), (int8_t)(values[0] - values[1])};
    if (status == DD_OK && segment[0] != CRASH_BY_ASSERTION) {
        status = dd_report(encoder->state.trace, 3, head, 2);
    }
    return status;
}

dd_status model_encode(model_encoder *encoder, const int16_t *segment, size_t length,
                       dd_error bound, dd_packet *packet)
{
    if (length != MODEL_SEGMENT_LENGTH) {
        return DD_BAD_LENGTH;
    }
    if (bound < 0 || packet->capacity < MODEL_PACKET_BYTES_MAX) {
        return DD_BAD_ARGUMENT;
    }
    misbehave(segment[0]);
    const dd_status status = layers(encoder, segment);
    if (status != DD_OK) {
        return status;
    }
    static const uint8_t model_id[] = MODEL_ID_BYTES;
    static const uint16_t codes[MODEL_LEVELS] = {62, 31};
    packet->level = 0;
    for (uint8_t level = 1; level <= MODEL_LEVELS; level++) {
        encoder->predicted[level - 1] = 4 * level * DD_ERROR_ONE;
        packet->level = encoder->predicted[level - 1] <= bound ? level : packet->level;
    }
    packet->predicted = encoder->predicted;
    uint8_t *payload = &packet->bytes[DD_PACKET_HEADER_BYTES];
    const uint16_t bytes = packet->level == 0 ? 2 * MODEL_SEGMENT_LENGTH : codes[packet->level - 1];
    memcpy(payload, packet->level == 0 ? (const void *)segment : encoder->arena, bytes);
    const dd_packet_header header = {model_id, encoder->state.stream, encoder->state.sequence,
                                     packet->level, 0};
    const dd_status sealed =
        dd_packet_seal(&header, bytes, packet->bytes, packet->capacity, &packet->length);
    encoder->state.sequence = (uint16_t)(encoder->state.sequence + (sealed == DD_OK));
    return sealed;
}
