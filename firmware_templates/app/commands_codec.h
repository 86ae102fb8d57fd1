/* The commands of the codec: segments of samples are encoded, and come back as packets. */
#ifndef COMMANDS_CODEC_H
#define COMMANDS_CODEC_H

enum {
    DD_COMMAND_BOUND = 0x07,
    DD_COMMAND_RESET = 0x08,
    DD_COMMAND_ENCODE = 0x0A,
};

#define APP_KIND                DD_APPLICATION_CODEC
#define DD_APPLICATION_COMMANDS 3

/* The input: int16 samples. */
#define DD_INPUT_VALUE_BYTES 2u
#define DD_INPUT_BYTES       (2u * APP_SEGMENT_LENGTH)
#define DD_CHUNK_BYTES       (2u * BOARD_CHUNK_VALUES)

#define DD_ENCODE_HEADER_BYTES     (2u + 4u * APP_LEVELS + 8u + 4u + 2u)
#define DD_APPLICATION_REPLY_BYTES (DD_ENCODE_HEADER_BYTES + APP_PACKET_BYTES_MAX)

/* What the codec keeps between two requests. */
typedef struct dd_application {
    app_encoder encoder;
    dd_packet packet;
    dd_error bound;
#if APP_STREAMING
    uint8_t spare[APP_PACKET_BYTES_CODED]; /* for packets that nobody wants */
#endif
} dd_application;

#endif
