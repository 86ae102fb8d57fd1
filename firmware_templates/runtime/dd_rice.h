/* Lossless coding of samples, for level "none": what docs/packet.md describes. Each sample is
 * predicted from those before it, and what the prediction misses is written as a Rice code. The
 * decoder learns what the encoder learns, so that nothing but the codes is sent. */
#ifndef DD_RICE_H
#define DD_RICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DD_RICE_TAPS     4u
#define DD_RICE_ACTIVITY 12u /* classes of what was missed lately */
#define DD_RICE_SLOPE    6u  /* classes of the last step */

/* What a segment may take beyond 16 bits for each sample. A sample whose code might need more of it
 * than is left is written as it is, so that no samples ever take more. */
#define DD_RICE_SLACK_BITS       64
#define DD_RICE_BYTES_MAX(count) (2u * (count) + DD_RICE_SLACK_BITS / 8u)

/* A coder of one segment, which belongs to the caller. The fields are the coder's own. */
typedef struct dd_rice {
    uint8_t *bytes;
    size_t capacity;
    size_t length;                                    /* beyond `capacity`: it did not fit */
    uint32_t bits;                                    /* of the byte that is not full */
    int32_t spare_bits;                               /* of the slack, and what codes saved */
    uint32_t missed[3];                               /* the last ones, folded; newest first */
    int32_t steps[DD_RICE_TAPS];                      /* newest first, -8191 to 8191 */
    int32_t weights[DD_RICE_TAPS];                    /* Q2.13 */
    uint16_t means[DD_RICE_ACTIVITY * DD_RICE_SLOPE]; /* Q10.6; 0: not met yet */
    int16_t last;
    uint8_t bit_count; /* 0 to 7 */
    bool begun;        /* the first sample was written */
} dd_rice;

/* Begin a segment in `bytes`, of which at most `capacity` are written, once there are samples. */
void dd_rice_begin(dd_rice *coder, uint8_t *bytes, size_t capacity);

/* Code the next `count` samples; any cut of a segment into pieces gives the same bytes. */
void dd_rice_push(dd_rice *coder, const int16_t *samples, size_t count);

/* End the segment and return its bytes, at most DD_RICE_BYTES_MAX of its samples. More than the
 * capacity: they did not fit, and what lies there is of no use. */
size_t dd_rice_end(dd_rice *coder);

/* The three as a constant: whoever has no level none has none of it, and links none. */
typedef struct dd_lossless {
    void (*begin)(dd_rice *coder, uint8_t *bytes, size_t capacity);
    void (*push)(dd_rice *coder, const int16_t *samples, size_t count);
    size_t (*end)(dd_rice *coder);
} dd_lossless;

extern const dd_lossless dd_rice_lossless;

#ifdef __cplusplus
}
#endif

#endif
