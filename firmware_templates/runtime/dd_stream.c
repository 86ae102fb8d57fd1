/* The streaming engine: the layers run as the input arrives, a tile of steps at a time.
 *
 * Of dd_net.counts it has, behind those of dd_net.c: for each source the steps of its line that the
 * stage awaits before its next tile; then for each stage how many of its sources lack some, with a
 * 0 behind them. The network has one input, so that stage i writes line i + 1. */
#include <string.h>

#include "dd_net.h"
#include "dd_words.h"

#define NEVER UINT16_MAX

/* A network at work, with what the loops look at. */
typedef struct stream {
    const dd_net_plan *plan;
    dd_line *lines;
    int8_t *values;
    uint16_t *awaited;
    uint16_t *lacking;
    uint32_t ready; /* stages that lack nothing */
} stream;

/* By unsigned division: the smallest cores have a library function for each kind. */
static int32_t divide_down(int32_t value, uint32_t by)
{
    const uint32_t size = value < 0 ? ~(uint32_t)value : (uint32_t)value;
    const uint32_t quotient = size / by;
    return (int32_t)(value < 0 ? ~quotient : quotient);
}

/* Where the window of output step `step` begins, in steps of the line. */
static int32_t window_of(const dd_source *source, uint32_t step)
{
    const int32_t begin = (int32_t)(step * source->stride) - source->before;
    return source->up == 1 ? begin : divide_down(begin, source->up);
}

/* Make a line grow, and tell its readers. */
static void grow(stream *of, uint32_t index, uint32_t before, uint32_t steps)
{
    const dd_line_plan *const plan = &of->plan->lines[index];
    const dd_reader *reader = of->plan->readers + plan->readers;
    of->lines[index].end = (uint16_t)(before + steps);
    for (uint32_t left = plan->count; left != 0; left--) {
        if (of->awaited[reader->source] - before - 1u < steps) { /* before < it <= end */
            of->ready += --of->lacking[reader->stage] == 0;
        }
        reader++;
    }
}

#if defined(__GNUC__) && !defined(__ARM_FEATURE_UNALIGNED)
#define WORDS(at) __builtin_assume_aligned(at, sizeof(uint32_t))
#else
#define WORDS(at) (at)
#endif

/* memmove towards lower addresses; small C libraries have one that moves byte by byte. */
static void move_down(int8_t *to, const int8_t *from, uint32_t count)
{
    uint32_t a, b; /* and no array, which would go through the stack */
    const uint32_t group = dd_in_words(to, from) ? 2u * (uint32_t)sizeof a : UINT32_MAX;
    for (; count >= group; count -= group) {
        memcpy(&a, WORDS(from), sizeof a);
        memcpy(&b, WORDS(from + sizeof a), sizeof b);
        memcpy(WORDS(to), &a, sizeof a);
        memcpy(WORDS(to + sizeof a), &b, sizeof b);
        from += group;
        to += group;
    }
    for (; count != 0; count--) {
        *to++ = *from++;
    }
}

/* The first step of a line that any of its readers still needs. */
static uint32_t first_needed(const stream *of, const dd_line_plan *plan)
{
    const dd_reader *reader = of->plan->readers + plan->readers;
    uint32_t keep = NEVER;
    for (uint32_t left = plan->count; left != 0; left--) {
        const uint32_t end = of->lines[1u + reader->stage].end;
        if (end != of->plan->lines[1u + reader->stage].steps) {
            const int32_t begin = window_of(&of->plan->sources[reader->source], end);
            keep = dd_at_most(begin > 0 ? (uint32_t)begin : 0, keep);
        }
        reader++;
    }
    return keep;
}

/* Let go of the steps of a line that none of its readers needs any more: if others must move for
 * it, when it is worth it. */
static void drop_read(const stream *of, uint32_t index)
{
    const dd_line_plan *const plan = &of->plan->lines[index];
    dd_line *const line = &of->lines[index];
    const uint32_t begin = line->begin;
    const uint32_t end = line->end;
    const uint32_t keep = first_needed(of, plan);
    const bool moves = keep < end;
    if (plan->hold == 0 || keep < begin + (moves ? plan->hold : 1u)) {
        return;
    }
    line->begin = (uint16_t)keep;
    if (moves) {
        int8_t *const values = of->values + plan->at;
        move_down(values, values + (keep - begin) * plan->channels, (end - keep) * plan->channels);
    }
}

static dd_view view_of(const stream *of, uint32_t index)
{
    const dd_line line = of->lines[index];
    const int32_t begin = line.begin < line.end ? line.begin : line.end;
    return (dd_view){of->values + of->plan->lines[index].at, begin, line.end};
}

/* Await the next tile, of `steps` steps from `first` on: of the first source at least a step, so
 * that the course of a segment does not depend on how its input is cut into pieces. Returns how
 * many sources lack some. Where no step is left one does for good: no line grows to what was
 * awaited last. */
static uint32_t await_tile(const stream *of, const dd_stage *stage, uint32_t first, uint32_t steps)
{
    const dd_source *source = of->plan->sources + stage->sources;
    uint16_t *awaited = of->awaited + stage->sources;
    uint32_t inputs = stage->count;
    uint32_t lacking = 0;
    int32_t least = 1;
    if (steps == 0) {
        return 1;
    }
    do {
        const int32_t total = of->plan->lines[source->line].steps;
        int32_t needed = window_of(source, first + steps - 1u) + source->kernel;
        needed = needed > least ? needed : least;
        needed = needed < total ? needed : total;
        *awaited++ = (uint16_t)needed;
        lacking += of->lines[source->line].end < needed;
        source++;
        least = 0;
    } while (--inputs != 0);
    return lacking;
}

/* Compute the tile that is due. */
static dd_status run_stage(stream *of, uint32_t index, const dd_trace *trace)
{
    const dd_stage *const stage = &of->plan->stages[index];
    const dd_line_plan *const plan = &of->plan->lines[1u + index];
    const dd_source *source = of->plan->sources + stage->sources;
    const dd_line to = of->lines[1u + index];
    const uint32_t line_steps = to.begin < to.end ? (uint32_t)to.end - to.begin : 0;
    const uint32_t most = to.end == 0 ? stage->first : stage->tile;
    const uint32_t steps = dd_at_most(most, (uint32_t)plan->steps - to.end);
    const uint32_t end = to.end + steps;
    dd_view in[DD_INPUTS_MAX];
    dd_view *view = in;
    uint32_t inputs = stage->count;
    do {
        *view++ = view_of(of, source->line);
        source++;
    } while (--inputs != 0);
    int8_t *const out = of->values + plan->at + line_steps * plan->channels;
    const dd_status status = dd_stage_run(stage, in, to.end, steps, plan->channels, out, trace);
    grow(of, 1u + index, to.end, steps);
    if (to.begin > to.end) { /* of what came, nobody needs the first steps or any */
        of->lines[1u + index].begin = to.end;
        drop_read(of, 1u + index);
    }
    const uint32_t next = dd_at_most(plan->steps - end, stage->tile);
    const uint32_t lacking = await_tile(of, stage, end, next);
    of->lacking[index] = (uint16_t)lacking;
    of->ready -= lacking != 0;
    source -= stage->count;
    inputs = stage->count;
    do {
        drop_read(of, source->line);
        source++;
    } while (--inputs != 0);
    return status;
}

static void begin(const dd_net *net)
{
    stream of = {.plan = net->plan, .lines = net->lines, .values = net->values};
    of.awaited = net->counts + 2;
    of.lacking = of.awaited + net->plan->source_count;
    for (uint32_t index = 0; index < of.plan->count; index++) {
        const dd_stage *const stage = &of.plan->stages[index];
        const uint32_t steps = dd_at_most(stage->first, of.plan->lines[1u + index].steps);
        of.lacking[index] = (uint16_t)await_tile(&of, stage, 0, steps);
        drop_read(&of, index);
    }
    of.lacking[of.plan->count] = 0;
    drop_read(&of, of.plan->count);
}

/* No more than the next tile needs: the layers then run in the order in which they would run if the
 * steps came one by one, for which the lines are made. Steps that nobody needs come one by one. */
static uint32_t room(const dd_net *net)
{
    const dd_line_plan *const plan = net->plan->lines;
    const dd_reader *reader = net->plan->readers + plan->readers;
    const uint32_t end = net->lines->end;
    uint32_t limit = plan->steps;
    if (net->lines->begin > end) {
        limit = dd_at_most(end + 1u, limit);
    }
    for (uint32_t left = plan->count; left != 0; left--) {
        const uint32_t awaited = net->counts[2u + reader->source];
        if (awaited > end) {
            limit = dd_at_most(awaited, limit);
        }
        reader++;
    }
    return limit - end;
}

/* The number of the first stage from `index` on that lacks nothing; one must, or the end is 0. */
static uint32_t next_ready(const uint16_t *lacking, uint32_t index)
{
    const uint16_t *at = lacking + index;
    while (*at != 0) {
        at++;
    }
    return (uint32_t)(at - lacking);
}

/* Stages run in their order, at most one tile of each a round: a line has room for no more. */
static dd_status run(const dd_net *net, uint32_t input, uint32_t steps, const dd_trace *trace)
{
    stream of = {.plan = net->plan, .lines = net->lines, .values = net->values};
    of.awaited = net->counts + 2;
    of.lacking = of.awaited + net->plan->source_count;
    const uint32_t count = of.plan->count;
    dd_status status = DD_OK;
    uint32_t index = 0;
    grow(&of, input, net->lines[input].end, steps);
    while (of.ready != 0 && status == DD_OK) {
        index = next_ready(of.lacking, index);
        if (index == count) { /* the list's end */
            index = 0;
        } else {
            status = run_stage(&of, index++, trace);
        }
    }
    return status;
}

const dd_engine dd_stream_engine = {begin, room, run};
