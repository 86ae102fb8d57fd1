#include "dd_stream.h"

#include <string.h>

#define NEVER UINT16_MAX

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

static int8_t *values_of(const dd_stream *stream, uint32_t line)
{
    return stream->values + stream->plan->lines[line].at;
}

/* Where the window of output step `step` begins, in steps of the input. */
static int32_t window_of(const dd_conv1d *layer, uint32_t step)
{
    return (int32_t)(step * layer->stride) - layer->pad_before;
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
    const dd_call *const call = stream->plan->stages[index].call;
    const uint32_t done = stream->lines[index + 1u].end;
    const uint32_t end = done + tile_of(stream, index);
    if (done == call->out_length) {
        return NEVER;
    }
    const int32_t needed = window_of(call->layer, end - 1u) + call->layer->kernel;
    const bool whole = end <= call->out_length && needed <= call->in_length;
    return whole ? (uint16_t)(needed > 0 ? needed : 1) : call->in_length;
}

/* Steps of the input at which a stage computes next, or at which the segment is complete. */
static uint32_t next_due(const dd_stream *stream)
{
    const dd_line_plan *const plan = stream->plan->lines;
    const uint16_t *const readers = stream->plan->readers + plan->readers;
    uint32_t due = stream->plan->in_length;
    for (uint32_t i = 0; i < plan->count; i++) {
        due = at_most(stream->lines[readers[i] + 1u].due, due);
    }
    return due;
}

void dd_stream_begin(const dd_stream *stream)
{
    memset(stream->lines, 0, (stream->plan->count + 1u) * sizeof *stream->lines);
    for (uint32_t index = 0; index < stream->plan->count; index++) {
        stream->lines[index + 1u].due = due_of(stream, index);
    }
}

/* No more than the next tile needs: the layers then run in the order in which they would run if the
 * samples came one by one, for which the lines are made. */
uint32_t dd_stream_room(const dd_stream *stream)
{
    const uint32_t steps = next_due(stream) - stream->lines->end;
    return steps * stream->plan->in_channels - stream->lines->due;
}

int8_t *dd_stream_space(const dd_stream *stream)
{
    const dd_line *const line = stream->lines;
    const uint32_t steps = (uint32_t)line->end - line->begin;
    return values_of(stream, 0) + steps * stream->plan->in_channels + line->due;
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

/* Let go of the steps of a line that none of its readers needs any more. Steps that nobody needs
 * and that have not come yet go when the next tile has been computed. */
static void drop_read(const dd_stream *stream, uint32_t source, uint32_t channels)
{
    const dd_line_plan *const plan = &stream->plan->lines[source];
    const uint16_t *reader = stream->plan->readers + plan->readers;
    dd_line *const line = &stream->lines[source];
    int32_t keep = line->end;
    for (uint32_t left = plan->count; left != 0; left--) {
        const dd_conv1d *const layer = stream->plan->stages[*reader].call->layer;
        const int32_t next = window_of(layer, stream->lines[*reader + 1u].end);
        keep = next < keep ? next : keep;
        reader++;
    }
    if (keep > line->begin) {
        int8_t *const values = stream->values + plan->at;
        move_down(values, values + ((uint32_t)keep - line->begin) * channels,
                  (line->end - (uint32_t)keep) * channels);
        line->begin = (uint16_t)keep;
    }
}

/* Compute the tile that is due. At the end of the segment it is what is left. */
static dd_status run_stage(const dd_stream *stream, uint32_t index, const dd_trace *trace)
{
    const dd_stage *const stage = &stream->plan->stages[index];
    const dd_conv1d *const layer = stage->call->layer;
    const dd_line *const from = &stream->lines[stage->source];
    dd_line *const to = &stream->lines[index + 1u];
    const dd_view in = {values_of(stream, stage->source), from->begin, from->end};
    const bool complete = from->end == stage->call->in_length;
    const uint32_t first = to->end;
    const uint32_t left = (uint32_t)stage->call->out_length - first;
    const uint32_t steps = complete ? at_most(left, stream->plan->tile) : tile_of(stream, index);
    int8_t *const out =
        values_of(stream, index + 1u) + (uint32_t)(to->end - to->begin) * layer->out_channels;
    to->end = (uint16_t)(to->end + steps);
    to->due = due_of(stream, index);
    const dd_status status = dd_layer_run(stage->call, &in, first, steps, out, trace);
    if (!stream->plan->lines[stage->source].kept) {
        drop_read(stream, stage->source, layer->in_channels);
    }
    return status;
}

/* Counts whole steps, of which few come at a time: the smallest cores have no division. */
static void take_input(const dd_stream *stream, uint32_t count)
{
    dd_line *const line = stream->lines;
    const uint32_t channels = stream->plan->in_channels;
    uint32_t values = line->due + count;
    uint32_t end = line->end;
    for (; values >= channels; values -= channels) {
        end++;
    }
    line->end = (uint16_t)end;
    line->due = (uint16_t)values;
}

dd_status dd_stream_run(const dd_stream *stream, uint32_t count, const dd_trace *trace)
{
    take_input(stream, count);
    uint32_t reach = stream->plan->lines[0].reach; /* no later stage can have become ready */
    bool ran = true;
    while (ran) {
        ran = false;
        /* At most one tile of each a round: a line has room for no more. */
        for (uint32_t index = 0; index <= reach; index++) {
            const uint32_t source = stream->plan->stages[index].source;
            if (stream->lines[source].end >= stream->lines[index + 1u].due) {
                const uint32_t next = stream->plan->lines[index + 1u].reach;
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
