/* The commands of a network alone: int8 codes in, int8 codes out. */
#ifndef COMMANDS_NET_H
#define COMMANDS_NET_H

enum {
    DD_COMMAND_RUN = 0x02,
    DD_COMMAND_OUTPUT = 0x09,
};

#define APP_KIND                DD_APPLICATION_NETWORK
#define DD_APPLICATION_COMMANDS 2
#define APP_LEVELS              0
#define APP_LOSSLESS            0

/* The input: int8 codes. */
#define DD_INPUT_VALUE_BYTES 1u
#define DD_INPUT_BYTES       APP_INPUT_BYTES
#define DD_CHUNK_BYTES       BOARD_CHUNK_VALUES

#define DD_RUN_BYTES           12u
#define DD_OUTPUT_HEADER_BYTES 8u
#define DD_OUTPUT_PIECE_BYTES  (APP_OUTPUT_BYTES_MAX < 512u ? APP_OUTPUT_BYTES_MAX : 512u)
#define DD_APPLICATION_REPLY_BYTES \
    (DD_OUTPUT_PIECE_BYTES > DD_RUN_BYTES ? DD_OUTPUT_PIECE_BYTES : DD_RUN_BYTES)

/* What is kept between two requests. */
typedef struct dd_application {
    app_net net;
    bool complete; /* an inference is, and its outputs are there */
} dd_application;

#endif
