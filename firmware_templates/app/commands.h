/* The commands that a host gives. Those that any network answers are in commands.c; what runs it
 * adds its own: commands_net.c for a network alone, commands_codec.c for a codec. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "application.h"
#include "board.h"
#include "dd_link.h"
#include "dd_trace.h"
#include "hello.h"

enum {
    DD_COMMAND_TRACE = 0x03,
    DD_COMMAND_TENSOR = 0x04,
    DD_COMMAND_CONSTANTS = 0x05,
    DD_COMMAND_MEMORY = 0x06,
};

#define DD_FLAG_UNFUSED 0x01u
#define DD_FLAG_FIRST   0x02u /* the input begins an inference */
#define DD_FLAG_SINGLE  0x04u /* give it to the network a step at a time */

/* An inference's input, which comes in several requests of one command. */
typedef struct dd_inference {
    uint8_t command; /* 0: none is under way */
    uint64_t ticks;  /* that it took so far */
    uint32_t worst;  /* and most of them in one call */
} dd_inference;

/* The input in a request: it lies where it was received, at a multiple of 4 bytes. */
typedef struct dd_block {
    const uint8_t *bytes;
    size_t count;
} dd_block;

#if APP_CODEC
#include "commands_codec.h"
#else
#include "commands_net.h"
#endif

/* Sizes of what the commands carry. */
#define DD_TENSOR_HEADER_BYTES 8u
#define DD_TRACE_ENTRY_BYTES   10u
#define DD_REQUEST_PAYLOAD_MAX (DD_TENSOR_HEADER_BYTES + DD_CHUNK_BYTES)

/* One byte per alternative, so that the size of the union is the largest. */
typedef union dd_reply_payload {
    uint8_t hello[DD_HELLO_BYTES];
    uint8_t application[DD_APPLICATION_REPLY_BYTES];
    uint8_t trace[DD_TRACE_ENTRY_BYTES * APP_TENSORS];
    uint8_t constants[4u * APP_CONSTANTS + 1u];
} dd_reply_payload;
#define DD_REPLY_PAYLOAD_MAX ((uint32_t)sizeof(dd_reply_payload))

/* What was seen of one tensor so far. */
typedef struct dd_seen {
    uint32_t crc;
    uint32_t ticks;
    uint32_t values;
} dd_seen;

/* Everything that the firmware keeps between two requests. */
typedef struct dd_app {
    dd_application application;
    /* Bytes as they come in; the input is used where it was received. */
    alignas(4) uint8_t request[DD_REQUEST_PAYLOAD_MAX + DD_LINK_REQUEST_SPARE_BYTES];
    dd_inference inference;
    dd_seen seen[APP_TENSORS];
    uint8_t reply[sizeof(dd_reply_payload) + DD_LINK_REPLY_SPARE_BYTES];
    dd_link link;
    bool greeted; /* by HELLO since the reset: the host knows what state it talks to */
} dd_app;

void dd_app_init(dd_app *app);

/* Take one byte off the wire; act and answer if it completes a request. */
void dd_app_receive(dd_app *app, uint8_t byte);

/* Act on `request` and write the reply's payload; `*bytes` is its length, 0 at first. */
typedef dd_status (*dd_command_function)(dd_app *app, const dd_request *request, uint8_t *reply,
                                         size_t *bytes);

typedef struct dd_command {
    uint8_t code;
    uint8_t flags; /* that it knows */
    bool input;    /* behind the payload, 1 to DD_CHUNK_BYTES of it */
    size_t payload_bytes;
    dd_command_function act;
} dd_command;

/* For commands with an input: the one behind `header` bytes of something else, and whether it may
 * begin or continue an inference. */
static inline dd_block dd_app_block(const dd_request *request, size_t header)
{
    return (dd_block){&request->payload[header], request->payload_bytes - header};
}

DD_MUST_CHECK static inline dd_status dd_app_begin(dd_app *app, const dd_request *request)
{
    if ((request->flags & DD_FLAG_FIRST) != 0) {
        app->inference = (dd_inference){.command = request->command};
        return DD_OK;
    }
    return app->inference.command == request->command ? DD_OK : DD_BAD_ARGUMENT;
}

/* Count the ticks of one call. */
void dd_app_clock(dd_inference *inference, uint64_t begin);

/* What an application gives. */
extern const dd_command dd_application_commands[DD_APPLICATION_COMMANDS];

DD_MUST_CHECK dd_status dd_application_init(dd_application *application);

/* Run the network under observation over the next of its input. What the application counts or
 * sends goes on as if nothing had been asked. DD_OK while the input lacks some; DD_OUTPUT_READY
 * when it was complete. */
DD_MUST_CHECK dd_status dd_application_observe(dd_app *app, const dd_request *request,
                                               dd_block block, const dd_trace *trace);

#endif
