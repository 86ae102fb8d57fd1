/* Status codes of the runtime, the encoder and the link: one list, of which the enum, the names
 * and the host's copy (host_tools/link/protocol.py, held against this file by a test) are made. */
#ifndef DD_STATUS_H
#define DD_STATUS_H

#define DD_STATUS_LIST(X)                                                        \
    X(DD_OK, 0, "done")                                                          \
    X(DD_STOPPED, 1, "an observer asked to stop")                                \
    X(DD_BAD_LENGTH, 2, "a length is not what the model or command needs")       \
    X(DD_BAD_ARGUMENT, 3, "a pointer is null or a value is out of range")        \
    X(DD_BUFFER_TOO_SMALL, 4, "the buffer cannot hold the result")               \
    X(DD_BAD_FRAME, 5, "a frame is malformed")                                   \
    X(DD_BAD_CRC, 6, "a frame or packet fails its check")                        \
    X(DD_UNKNOWN_COMMAND, 7, "the board does not know the command")              \
    X(DD_TIMEOUT, 8, "the rest of a frame did not come in time")                 \
    X(DD_RESTARTED, 9, "the board has restarted since it was last greeted")      \
    X(DD_PACKET_READY, 10, "a segment is complete and its packet made")          \
    X(DD_STALLED, 11, "the network did not take all samples of a segment")       \
    X(DD_OUTPUT_READY, 12, "all of the input has come and the outputs are made") \
    X(DD_ANSWER_PART, 13, "a part of the answer; more follows")

typedef enum dd_status {
#define DD_STATUS_ENUM(name, value, text) name = (value),
    DD_STATUS_LIST(DD_STATUS_ENUM)
#undef DD_STATUS_ENUM
} dd_status;

#if defined(__GNUC__)
#define DD_MUST_CHECK __attribute__((warn_unused_result))
#else
#define DD_MUST_CHECK
#endif

#endif
