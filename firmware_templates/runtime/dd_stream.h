/* The streaming engine: the layers run as the samples arrive, a tile of steps at a time.
 *
 * Between two layers lies a line: the steps that the one has made and the other still needs, its
 * newest window and no more. How long each line gets is worked out by the generator, which runs the
 * same rules as dd_stream_run. */
#ifndef DD_STREAM_H
#define DD_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "dd_layers.h"
#include "dd_status.h"
#include "dd_trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A layer in the stream, constant. Stages are in an order in which each comes behind its source. */
typedef struct dd_stage {
    const dd_call *call;
    uint16_t source; /* the line that it reads: 0 is the input, i + 1 what stage i writes */
    uint8_t first;   /* steps of its first tile, chosen so that later ones end as input arrives */
} dd_stage;

/* Where a line lies and who reads it, constant. */
typedef struct dd_line_plan {
    uint32_t at;      /* in bytes from the first value, a multiple of 4 */
    uint16_t readers; /* where in the plan's list the stages that read it begin, in their order */
    uint16_t reach;   /* the last of them; 0 if there is none */
    uint8_t count;    /* how many these are */
    bool kept;        /* the whole output stays, for the packet */
} dd_line_plan;

/* A stream's plan, constant. */
typedef struct dd_stream_plan {
    const dd_stage *stages;    /* [count] */
    const dd_line_plan *lines; /* [count + 1], the input's first */
    const uint16_t *readers;
    uint16_t count;
    uint16_t in_length; /* steps of a segment */
    uint16_t in_channels;
    uint8_t tile; /* steps that a stage computes at a time, but for its first and last */
} dd_stream_plan;

/* Which steps of a tensor its line holds: [begin, end). */
typedef struct dd_line {
    uint16_t begin;
    uint16_t end;
    uint16_t due; /* steps of its input at which the stage that writes it computes its next tile; of
                   * the input line, values of the step that has not come whole */
} dd_line;

/* A stream in progress; the memory is its owner's. */
typedef struct dd_stream {
    const dd_stream_plan *plan;
    dd_line *lines; /* [count + 1], the input's first */
    int8_t *values; /* aligned to 4: each line where its plan says */
} dd_stream;

/* Begin a segment. */
void dd_stream_begin(const dd_stream *stream);

/* Values that the input line takes now: 1 or more after dd_stream_begin and dd_stream_run, until
 * the segment is complete. They belong at dd_stream_space, one channel's behind the other's. */
uint32_t dd_stream_room(const dd_stream *stream);
int8_t *dd_stream_space(const dd_stream *stream);

/* Say that `count` values were written there, and run what can run. A trace (or null) sees each
 * tensor in pieces, as they are made. DD_STOPPED if the observer asks for it. */
DD_MUST_CHECK dd_status dd_stream_run(const dd_stream *stream, uint32_t count,
                                      const dd_trace *trace);

#ifdef __cplusplus
}
#endif

#endif
