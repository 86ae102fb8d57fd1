#include "dd_stream.h"

#include <string.h>

#include "dd_layers.h"

uint32_t dd_stream_room(const dd_stream *stream)
{
    const dd_line *const line = stream->lines;
    const uint32_t missing = (uint32_t)stream->plan->in_length - line->end;
    const uint32_t room = (uint32_t)stream->plan->in_steps - (line->end - line->begin);
    return missing < room ? missing : room;
}

int8_t *dd_stream_space(const dd_stream *stream)
{
    const dd_line *const line = stream->lines;
    return stream->values + (line->end - line->begin);
}

/* The values of a line. The input has one channel and lies first. */
static int8_t *values_of(const dd_stream *stream, uint8_t line)
{
    return line == 0 ? stream->values : stream->values + stream->plan->stages[line - 1u].at;
}

/* Where the window of output step `step` begins, in steps of the input. */
static int32_t window_of(const dd_conv1d *layer, uint32_t step)
{
    return (int32_t)(step * layer->stride) - layer->pad_before;
}

#define NEVER UINT16_MAX

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

/* Steps of a stage's next tile, if it need not be cut short. */
static uint32_t tile_of(const dd_stream *stream, uint32_t index)
{
    const bool begun = stream->lines[index + 1u].end != 0;
    return begun ? stream->plan->tile : stream->plan->stages[index].first;
}

/* How much input stage `index` awaits: enough for a whole tile, or all there is. */
static uint16_t due_of(const dd_stream *stream, uint32_t index)
{
    const dd_conv1d *const layer = stream->plan->stages[index].layer;
    const uint32_t done = stream->lines[index + 1u].end;
    const uint32_t end = done + tile_of(stream, index);
    if (done == layer->out_length) {
        return NEVER;
    }
    const int32_t needed = window_of(layer, end - 1u) + layer->kernel;
    const bool whole = end <= layer->out_length && needed <= layer->in_length;
    return whole ? (uint16_t)(needed > 0 ? needed : 1) : layer->in_length;
}

void dd_stream_begin(const dd_stream *stream)
{
    memset(stream->lines, 0, (stream->plan->count + 1u) * sizeof *stream->lines);
    for (uint32_t index = 0; index < stream->plan->count; index++) {
        stream->lines[index + 1u].due = due_of(stream, index);
    }
}

/* memmove towards lower addresses; small C libraries have one that moves byte by byte. */
static void move_down(int8_t *to, const int8_t *from, uint32_t count)
{
    uint32_t words[4];
    const uint32_t group = (uint32_t)sizeof words;
    for (; count >= group; count -= group) {
        memcpy(words, from, group);
        memcpy(to, words, group);
        from += group;
        to += group;
    }
    for (; count != 0; count--) {
        *to++ = *from++;
    }
}

/* Let go of the steps of a line that none of its readers needs any more. */
static void drop_read(const dd_stream *stream, uint32_t index)
{
    const dd_stage *const stages = stream->plan->stages;
    const uint8_t source = stages[index].source;
    dd_line *const line = &stream->lines[source];
    int32_t keep = line->end;
    uint32_t reader = index;
    do {
        const int32_t next = window_of(stages[reader].layer, stream->lines[reader + 1u].end);
        keep = next < keep ? next : keep;
        reader = stages[reader].sibling;
    } while (reader != index);
    if (keep > line->begin) {
        const uint32_t channels = stages[index].layer->in_channels;
        int8_t *const values = values_of(stream, source);
        move_down(values, values + ((uint32_t)keep - line->begin) * channels,
                  (line->end - (uint32_t)keep) * channels);
        line->begin = (uint16_t)keep;
    }
}

static bool keeps_input(const dd_stream_plan *plan, uint32_t index)
{
    const uint8_t source = plan->stages[index].source;
    return source != 0 && plan->stages[source - 1u].kept;
}

/* Compute the tile that is due. At the end of the segment it is what is left. */
static dd_status run_stage(const dd_stream *stream, uint32_t index, const dd_trace *trace)
{
    const dd_stage *const stage = &stream->plan->stages[index];
    const dd_conv1d *const layer = stage->layer;
    const dd_line *const from = &stream->lines[stage->source];
    dd_line *const to = &stream->lines[index + 1u];
    const dd_input in = {values_of(stream, stage->source), from->end - from->begin};
    const bool complete = from->end == layer->in_length;
    const uint32_t left = (uint32_t)layer->out_length - to->end;
    const uint32_t steps = complete ? at_most(left, stream->plan->tile) : tile_of(stream, index);
    const int32_t first = window_of(layer, to->end) - from->begin;
    int8_t *const out =
        stream->values + stage->at + (uint32_t)(to->end - to->begin) * layer->out_channels;
    to->end = (uint16_t)(to->end + steps);
    to->due = due_of(stream, index);
    const dd_status status = dd_layer_conv1d(layer, in, first, steps, out, trace, stage->tensor);
    if (!keeps_input(stream->plan, index)) {
        drop_read(stream, index);
    }
    return status;
}

dd_status dd_stream_run(const dd_stream *stream, uint32_t steps, const dd_trace *trace)
{
    stream->lines[0].end = (uint16_t)(stream->lines[0].end + steps);
    uint32_t reach = stream->plan->reach; /* no later stage can have become ready */
    bool ran = true;
    while (ran) {
        ran = false;
        /* At most one tile of each a round: a line has room for no more. */
        for (uint32_t index = 0; index <= reach; index++) {
            const dd_stage *const stage = &stream->plan->stages[index];
            if (stream->lines[stage->source].end >= stream->lines[index + 1u].due) {
                const uint32_t next = stage->reach;
                const dd_status status = run_stage(stream, index, trace);
                if (status != DD_OK) {
                    return status;
                }
                reach = next > reach ? next : reach;
                ran = true;
            }
        }
    }
    return DD_OK;
}
