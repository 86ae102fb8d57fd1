/* The commands that a host gives: each is one function over the generated model. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "dd_link.h"
#include "dd_model.h"
#include "dd_model_debug.h"

#define DD_PROTOCOL_VERSION 3

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
#define DD_FLAG_FIRST   0x02u /* the samples begin a segment */
#define DD_FLAG_SINGLE  0x04u /* give them to the encoder one by one */

/* Sizes of what the commands carry. */
#define DD_CHUNK_BYTES         (2u * BOARD_CHUNK_SAMPLES)
#define DD_TENSOR_HEADER_BYTES 8u
#define DD_TRACE_ENTRY_BYTES   9u
#define DD_RUN_HEADER_BYTES    (2u + 4u * DD_LEVELS + 8u + 4u + 2u)
#define DD_HELLO_BYTES         (32u + sizeof BOARD_NAME + sizeof DD_KIT_VERSION)
#define DD_REQUEST_PAYLOAD_MAX (DD_TENSOR_HEADER_BYTES + DD_CHUNK_BYTES)

/* One byte per alternative, so that the size of the union is the largest. */
typedef union dd_reply_payload {
    uint8_t hello[DD_HELLO_BYTES];
    uint8_t run[DD_RUN_HEADER_BYTES + DD_PACKET_BYTES_MAX];
    uint8_t trace[DD_TRACE_ENTRY_BYTES * DD_TENSORS];
    uint8_t constants[4u * DD_CONSTANTS];
} dd_reply_payload;
#define DD_REPLY_PAYLOAD_MAX ((uint32_t)sizeof(dd_reply_payload))

/* What was seen of one tensor so far. */
typedef struct dd_seen {
    uint32_t crc;
    uint32_t ticks;
    uint32_t values;
} dd_seen;

/* A segment that comes in several requests of one command. */
typedef struct dd_segment {
    uint8_t command; /* 0: none is under way */
    uint64_t ticks;  /* that the encoder took so far */
    uint32_t worst;  /* and most of them in one call */
    dd_packet packet;
} dd_segment;

/* Everything that the firmware keeps between two requests. */
typedef struct dd_app {
    dd_encoder encoder;
    /* Bytes as they come in; samples are used where they were received, which is as int16. */
    alignas(4) int16_t request[(DD_REQUEST_PAYLOAD_MAX + DD_LINK_OVERHEAD_BYTES) / sizeof(int16_t)];
    dd_segment segment;
    dd_seen seen[DD_TENSORS];
#if DD_STREAMING
    uint8_t spare[DD_PACKET_BYTES_CODED]; /* for packets that nobody wants */
#endif
    uint8_t reply[sizeof(dd_reply_payload) + DD_LINK_OVERHEAD_BYTES];
    dd_link link;
    dd_error bound;
    bool greeted; /* by HELLO since the reset: the host knows what state it talks to */
} dd_app;

void dd_app_init(dd_app *app);

/* Take one byte off the wire; act and answer if it completes a request. */
void dd_app_receive(dd_app *app, uint8_t byte);

#endif
