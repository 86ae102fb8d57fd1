/* From samples to packets: all that lies around a network and is the same for every one. What
 * depends on the model is a constant plan, which the generator writes; the memory is its owner's.
 */
#ifndef DD_CODEC_H
#define DD_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "dd_decision.h"
#include "dd_input_map.h"
#include "dd_net.h"
#include "dd_packet.h"
#include "dd_rice.h"
#include "dd_status.h"
#include "dd_trace.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DD_LEVELS_MAX 15 /* compressed ones: a packet has four bits for its level */

typedef struct dd_packet {
    /* In: a buffer of the caller's. */
    uint8_t *bytes;
    size_t capacity;
    /* Out: the packet's bytes, its level, how many of the segment's samples the input map clipped:
     * many of them, and the signal is not scaled as the model was trained (NAME_ADC_UNITS_PER_MV,
     * NAME_ADC_BASELINE). And what each level's error was predicted to be, in memory of the
     * encoder's, until it makes another packet. */
    size_t length;
    uint8_t level;
    uint16_t clipped;
    const dd_error *predicted;
} dd_packet;

/* What a level sends, and where its predicted error lies: offsets in the network's values. */
typedef struct dd_output {
    uint32_t latent;
    uint32_t error;
    uint16_t codes;
} dd_output;

/* All that depends on the model. */
typedef struct dd_codec_plan {
    const uint8_t *model_id;
    dd_map *map;
    const void *map_by; /* what the map is told; null: each segment is scaled by its own range */
    dd_knots knots;     /* of the margins of `levels` */
    const dd_level *levels;      /* [level_count], the weakest compression first */
    const dd_output *outputs;    /* [level_count] */
    const dd_lossless *lossless; /* null: there is no level none */
    uint8_t level_count;
    uint16_t segment_length;     /* samples */
    uint16_t packet_bytes_coded; /* the largest packet but level none's */
    uint16_t packet_bytes_max;
} dd_codec_plan;

/* What is kept from call to call, besides the network's values. */
typedef struct dd_codec_state {
    const dd_trace *trace; /* null, or who watches the tensors of the segments to come */
    dd_packet *packet;     /* of the segments that come in pieces; null: none was begun */
    dd_error bound;        /* theirs */
    uint16_t stream;
    uint16_t sequence; /* of the next packet */
    uint16_t taken;    /* samples of the segment so far */
    uint16_t clipped;  /* and how many of them the input map clipped */
} dd_codec_state;

/* A codec at work. */
typedef struct dd_codec {
    const dd_codec_plan *plan;
    dd_codec_state *state;
    dd_net net;
    dd_rice *coder;      /* where there is level none */
    dd_error *predicted; /* [level_count] */
} dd_codec;

/* Begin a recording. */
void dd_codec_init(const dd_codec *codec, uint16_t stream);

/* Begin a segment that comes in pieces, the next pieces, and a whole segment: NAME_encode_begin,
 * NAME_encode_push and NAME_encode of the generated NAME_codec.h, which says more. */
DD_MUST_CHECK dd_status dd_codec_begin(const dd_codec *codec, dd_error bound, dd_packet *packet);
DD_MUST_CHECK dd_status dd_codec_push(const dd_codec *codec, const int16_t *samples, size_t count,
                                      size_t *taken);
DD_MUST_CHECK dd_status dd_codec_encode(const dd_codec *codec, const int16_t *segment,
                                        size_t length, dd_error bound, dd_packet *packet);

#ifdef __cplusplus
}
#endif

#endif
