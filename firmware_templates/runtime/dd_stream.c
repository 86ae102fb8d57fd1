/* The streaming engine: the layers run as the input arrives, a tile of steps at a time. */
#include <string.h>

#include "dd_net.h"

#define NEVER UINT16_MAX

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

static int32_t divide_down(int32_t value, int32_t by)
{
    const int32_t towards_zero = value / by;
    return towards_zero * by > value ? towards_zero - 1 : towards_zero;
}

/* Where the window of output step `step` begins, in steps of the line. */
static int32_t window_of(const dd_source *source, uint32_t step)
{
    const int32_t begin = (int32_t)(step * source->stride) - source->before;
    return source->up == 1 ? begin : divide_down(begin, source->up);
}

/* Steps of a stage's next tile; 0 if it has made all. */
static uint32_t tile_of(const dd_net *net, uint32_t index)
{
    const uint32_t line = 1u + index;
    const uint32_t done = net->lines[line].end;
    const uint32_t tile = done == 0 ? net->plan->stages[index].first : net->plan->tile;
    return at_most(net->plan->lines[line].steps - done, tile);
}

/* What a stage awaits of each source before its next tile: of the first one at least a step, so
 * that the course of a segment does not depend on how its input is cut into pieces. */
static void set_due(const dd_net *net, uint32_t index)
{
    const dd_stage *const stage = &net->plan->stages[index];
    const dd_source *source = net->plan->sources + stage->sources;
    uint16_t *due = net->counts + 1 + stage->sources;
    const uint32_t steps = tile_of(net, index);
    const uint32_t last = net->lines[1u + index].end + steps - 1u;
    int32_t least = 1;
    if (steps == 0) {
        *due = NEVER;
        return;
    }
    for (uint32_t left = stage->count; left != 0; left--) {
        const int32_t there = net->plan->lines[source->line].steps;
        int32_t needed = window_of(source, last) + source->kernel;
        needed = needed > least ? needed : least;
        *due++ = (uint16_t)(needed < there ? needed : there);
        source++;
        least = 0;
    }
}

static bool is_due(const dd_net *net, const dd_stage *stage)
{
    const dd_source *source = net->plan->sources + stage->sources;
    const uint16_t *due = net->counts + 1 + stage->sources;
    for (uint32_t left = stage->count; left != 0; left--) {
        if (net->lines[source->line].end < *due) {
            return false;
        }
        source++;
        due++;
    }
    return true;
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

/* The first step of a line that one of its readers still needs. */
static uint32_t first_needed(const dd_net *net, const dd_line_plan *plan)
{
    const uint16_t *reader = net->plan->readers + plan->readers;
    uint32_t keep = NEVER;
    for (uint32_t left = plan->count; left != 0; left--) {
        const dd_source *const source = &net->plan->sources[*reader++];
        const uint32_t done = net->lines[source->target].end;
        if (done != net->plan->lines[source->target].steps) {
            const int32_t begin = window_of(source, done);
            keep = at_most(begin > 0 ? (uint32_t)begin : 0, keep);
        }
    }
    return keep;
}

/* Let go of the steps of a line that none of its readers needs any more. */
static void drop_read(const dd_net *net, uint32_t index)
{
    const dd_line_plan *const plan = &net->plan->lines[index];
    dd_line *const line = &net->lines[index];
    const uint32_t keep = first_needed(net, plan);
    if (keep > line->begin) {
        if (keep < line->end) {
            int8_t *const values = net->values + plan->at;
            move_down(values, values + (keep - line->begin) * plan->channels,
                      (line->end - keep) * plan->channels);
        }
        line->begin = (uint16_t)keep;
    }
}

/* Take steps that have just been written: those that nobody needs are let go at once. They lie at
 * the line's beginning, for it held nothing before. */
static void append(const dd_net *net, uint32_t index, uint32_t steps)
{
    const dd_line_plan *const plan = &net->plan->lines[index];
    dd_line *const line = &net->lines[index];
    const uint32_t before = line->end;
    const uint32_t end = before + steps;
    if (line->begin > before && line->begin < end) {
        int8_t *const values = net->values + plan->at;
        move_down(values, values + (line->begin - before) * plan->channels,
                  (end - line->begin) * plan->channels);
    }
    line->end = (uint16_t)end;
}

static dd_view view_of(const dd_net *net, uint32_t index)
{
    const dd_line *const line = &net->lines[index];
    const int32_t begin = line->begin < line->end ? line->begin : line->end;
    return (dd_view){net->values + net->plan->lines[index].at, begin, line->end};
}

/* Compute the tile that is due. */
static dd_status run_stage(const dd_net *net, uint32_t index, const dd_trace *trace)
{
    const dd_stage *const stage = &net->plan->stages[index];
    const dd_source *const sources = net->plan->sources + stage->sources;
    const dd_line_plan *const plan = &net->plan->lines[1u + index];
    const dd_line *const to = &net->lines[1u + index];
    const uint32_t first = to->end;
    const uint32_t held = to->begin < first ? first - to->begin : 0;
    const uint32_t steps = tile_of(net, index);
    dd_view in[DD_INPUTS_MAX];
    for (uint32_t i = 0; i < stage->count; i++) {
        in[i] = view_of(net, sources[i].line);
    }
    int8_t *const out = net->values + plan->at + held * plan->channels;
    const dd_status status = dd_stage_run(stage, in, first, steps, plan->channels, out, trace);
    append(net, 1u + index, steps);
    set_due(net, index);
    for (uint32_t i = 0; i < stage->count; i++) {
        if (!net->plan->lines[sources[i].line].kept) {
            drop_read(net, sources[i].line);
        }
    }
    return status;
}

static void begin(const dd_net *net)
{
    for (uint32_t index = 0; index < net->plan->count; index++) {
        set_due(net, index);
    }
    for (uint32_t line = 0; line <= net->plan->count; line++) {
        if (!net->plan->lines[line].kept) {
            drop_read(net, line);
        }
    }
}

/* No more than the next tile needs: the layers then run in the order in which they would run if the
 * steps came one by one, for which the lines are made. Steps that nobody needs come one by one. */
static uint32_t room(const dd_net *net)
{
    const dd_line_plan *const plan = net->plan->lines;
    const uint16_t *const readers = net->plan->readers + plan->readers;
    const uint32_t end = net->lines->end;
    uint32_t due = plan->steps;
    if (net->lines->begin > end) {
        due = at_most(end + 1u, due);
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        const uint32_t awaited = net->counts[1u + readers[i]];
        if (awaited > end) {
            due = at_most(awaited, due);
        }
    }
    return due - end;
}

static dd_status run(const dd_net *net, const dd_trace *trace)
{
    uint32_t reach = net->plan->lines[0].reach; /* no later stage can have become ready */
    bool ran = true;
    while (ran) {
        ran = false;
        /* At most one tile of each a round: a line has room for no more. */
        for (uint32_t index = 0; index <= reach; index++) {
            if (is_due(net, &net->plan->stages[index])) {
                const uint32_t next = net->plan->lines[1u + index].reach;
                const dd_status status = run_stage(net, index, trace);
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

const dd_engine dd_stream_engine = {begin, room, run};
