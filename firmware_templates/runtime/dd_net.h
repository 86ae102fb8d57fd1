/* A network at work: int8 tensors in, int8 tensors out.
 *
 * What depends on the model is a constant plan, which the generator writes. Tensors lie in lines:
 * first the network's inputs, then what each stage writes. Two engines run the same plan.
 *
 * The streaming engine runs the layers as the input arrives, a tile of steps at a time. A line then
 * holds the steps that one stage has made and another still needs, and no more. How long it gets is
 * worked out by the generator, which runs the same rules as dd_stream.c. The layers engine runs one
 * whole layer behind the other once all of the input is there; its lines hold whole tensors. */
#ifndef DD_NET_H
#define DD_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dd_layer.h"
#include "dd_status.h"
#include "dd_trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A layer in the plan. Stages are in an order in which each comes behind those that it reads. */
typedef struct dd_stage {
    dd_kernel *run;
    const void *params;
    const int8_t *table; /* or null */
    uint16_t sources;    /* where its inputs begin in the plan's list */
    uint16_t tensor;     /* the number of its first traced tensor */
    uint8_t count;       /* of its inputs */
    uint8_t tile;        /* steps that the streaming engine computes at a time, but for the last */
    uint8_t first; /* steps of its first tile, chosen so that later ones end as input arrives */
} dd_stage;

/* An input of a stage: output step o reads the steps [b, b + kernel) of a line,
 * b = floor((o * stride - before) / up). The layers engine reads `kernel` steps, all there are. */
typedef struct dd_source {
    uint16_t line;
    uint16_t kernel;
    uint16_t stride;
    uint16_t up;
    int32_t before;
} dd_source;

/* Who reads a line: the number of the source, and the stage that it belongs to. */
typedef struct dd_reader {
    uint16_t source;
    uint16_t stage;
} dd_reader;

/* Where a line lies and who reads it. */
typedef struct dd_line_plan {
    uint32_t at;    /* in bytes from the first value, a multiple of 4 */
    uint16_t steps; /* of its tensor */
    uint16_t channels;
    uint16_t readers; /* where in the plan's list its readers begin, in the order of the sources */
    uint8_t count;    /* how many these are */
    uint8_t hold;     /* the least steps that are moved for at once; 0: the whole tensor stays */
} dd_line_plan;

typedef struct dd_engine dd_engine;

typedef struct dd_net_plan {
    const dd_engine *engine;
    const dd_stage *stages;    /* [count] */
    const dd_line_plan *lines; /* [inputs + count] */
    const dd_source *sources;  /* [source_count] */
    const dd_reader *readers;  /* of the streaming engine */
    uint16_t count;
    uint16_t source_count;
    uint8_t inputs; /* of the network; the streaming engine has one */
} dd_net_plan;

/* Of a line: the first step that somebody still needs, which may be still to come; and the steps
 * that have come. */
typedef struct dd_line {
    uint16_t begin;
    uint16_t end;
} dd_line;

/* What the first counts of a network are; those behind them are the engine's. */
enum dd_net_count {
    DD_NET_PARTIAL, /* values of the input step that has not come whole */
    DD_NET_INPUT    /* the number of the input that comes */
};

/* A network in progress; the memory is its owner's. */
typedef struct dd_net {
    const dd_net_plan *plan;
    dd_line *lines;   /* [DD_NET_LINES] */
    uint16_t *counts; /* [DD_NET_COUNTS]: see dd_net_count */
    int8_t *values;   /* aligned to 4: each line where its plan says */
} dd_net;

/* What an engine is. Only the one that a plan names is linked. */
struct dd_engine {
    void (*begin)(const dd_net *net);
    uint32_t (*room)(const dd_net *net); /* steps that the input takes now which comes */
    dd_status (*run)(const dd_net *net, uint32_t input, uint32_t steps, const dd_trace *trace);
};
extern const dd_engine dd_stream_engine;
extern const dd_engine dd_layers_engine;

/* Begin with the first step of the input. */
void dd_net_begin(const dd_net *net);

/* Values that the input takes now: 1 or more after dd_net_begin and dd_net_run, until all of it has
 * come. They belong at dd_net_space, one channel's behind the other's; of several inputs the first
 * comes whole before the second. */
uint32_t dd_net_room(const dd_net *net);
int8_t *dd_net_space(const dd_net *net);

/* Say that `count` values, at most dd_net_room, were written there, and run what can run. A trace
 * (or null) sees each tensor, in pieces, as they are made. DD_STOPPED if the observer asks for it.
 */
DD_MUST_CHECK dd_status dd_net_run(const dd_net *net, uint32_t count, const dd_trace *trace);

/* For engines: run a stage over some steps, as a dd_kernel does, under observation. A trace sees
 * its tensors: of one with a table, the kernel's own output as number `tensor` (in an unfused trace
 * only) and what the table makes of it as `tensor + 1`; of one without, its output as `tensor`. */
DD_MUST_CHECK dd_status dd_stage_traced(const dd_stage *stage, const dd_view *in, uint32_t first,
                                        uint32_t steps, uint32_t channels, int8_t *out,
                                        const dd_trace *trace);

/* The same where a trace may be null. */
DD_MUST_CHECK static inline dd_status dd_stage_run(const dd_stage *stage, const dd_view *in,
                                                   uint32_t first, uint32_t steps,
                                                   uint32_t channels, int8_t *out,
                                                   const dd_trace *trace)
{
    if (trace != NULL) {
        return dd_stage_traced(stage, in, first, steps, channels, out, trace);
    }
    stage->run(stage->params, stage->table, in, first, steps, out);
    return DD_OK;
}

#ifdef __cplusplus
}
#endif

#endif
