/* The commands that a host gives: each is one function over the generated model. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "dd_link.h"
#include "dd_model.h"
#include "dd_model_debug.h"

#define DD_PROTOCOL_VERSION 1

enum {
    DD_COMMAND_RUN = 0x02,
    DD_COMMAND_TRACE = 0x03,
    DD_COMMAND_TENSOR = 0x04,
    DD_COMMAND_CONSTANTS = 0x05,
    DD_COMMAND_MEMORY = 0x06,
    DD_COMMAND_BOUND = 0x07,
    DD_COMMAND_RESET = 0x08,
};

#define DD_FLAG_UNFUSED 0x01u

/* Sizes of what the commands carry. */
#define DD_SEGMENT_BYTES (2u * DD_SEGMENT_LENGTH)
#define DD_TENSOR_HEADER_BYTES 8u
#define DD_TRACE_ENTRY_BYTES 9u
#define DD_RUN_HEADER_BYTES (2u + 4u * DD_LEVELS + 8u)
#define DD_HELLO_BYTES_MAX (32u + 2u * 256u)
#define DD_REQUEST_PAYLOAD_MAX (DD_TENSOR_HEADER_BYTES + DD_SEGMENT_BYTES)

/* One byte per alternative, so that the size of the union is the largest. */
typedef union dd_reply_payload {
    uint8_t hello[DD_HELLO_BYTES_MAX];
    uint8_t run[DD_RUN_HEADER_BYTES + DD_PACKET_BYTES_MAX];
    uint8_t trace[DD_TRACE_ENTRY_BYTES * DD_TENSORS];
    uint8_t constants[4u * DD_CONSTANTS];
} dd_reply_payload;
#define DD_REPLY_PAYLOAD_MAX ((uint32_t)sizeof(dd_reply_payload))

/* Everything that the firmware keeps between two requests. */
typedef struct dd_app {
    dd_encoder encoder;
    union {
        uint8_t bytes[DD_REQUEST_PAYLOAD_MAX + DD_LINK_OVERHEAD_BYTES];
        uint32_t aligned; /* the segment is used where it was received */
    } request;
    uint8_t reply[sizeof(dd_reply_payload) + DD_LINK_OVERHEAD_BYTES];
    dd_link link;
    dd_error bound;
    bool greeted; /* by HELLO since the reset: the host knows what state it talks to */
} dd_app;

void dd_app_init(dd_app *app);

/* Take one byte off the wire; act and answer if it completes a request. */
void dd_app_receive(dd_app *app, uint8_t byte);

#endif
