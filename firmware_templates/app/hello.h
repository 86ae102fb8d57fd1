/* How a firmware introduces itself: the payload of HELLO and of ANNOUNCE. */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "application.h"
#include "board.h"

#define DD_PROTOCOL_VERSION 5

#define DD_HELLO_BYTES (42u + sizeof BOARD_NAME + sizeof APP_KIT_VERSION)

/* What runs the network. */
enum {
    DD_APPLICATION_NETWORK = 0,
    DD_APPLICATION_CODEC = 1,
    DD_APPLICATION_AUTONOMOUS = 2,
};

/* What one application says otherwise than another. */
typedef struct dd_about {
    uint8_t application;
    uint8_t inputs;
    uint8_t outputs;
    uint8_t levels; /* 0: no codec */
    bool lossless;  /* there is level none */
    uint32_t input_bytes;
    uint16_t chunk_bytes; /* of an input, that a request may carry */
    uint16_t request_bytes_max;
    uint16_t reply_bytes_max;
} dd_about;

/* Write the introduction, DD_HELLO_BYTES at most, and return its length. */
size_t dd_hello_write(uint8_t *out, const dd_about *about);

#endif
