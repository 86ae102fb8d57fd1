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

/* Most bytes that `count` samples take: the samples as they are, behind the byte that says so. */
#define DD_RICE_BYTES_MAX(count) (2u * (count) + 1u)

/* A coder of one segment, which belongs to the caller. The fields are the coder's own. */
typedef struct dd_rice {
    uint8_t *bytes;
    size_t capacity;
    size_t length;                                    /* beyond `capacity`: it did not fit */
    uint32_t bits;                                    /* of the byte that is not full */
    uint32_t bit_count;                               /* 0 to 7 */
    uint32_t missed[3];                               /* the last ones, folded; newest first */
    int32_t steps[DD_RICE_TAPS];                      /* newest first, -8191 to 8191 */
    int32_t weights[DD_RICE_TAPS];                    /* Q2.13 */
    uint16_t means[DD_RICE_ACTIVITY * DD_RICE_SLOPE]; /* Q10.6; 0: not met yet */
    int16_t last;
    bool begun; /* the first sample was written */
} dd_rice;

/* Begin a segment in `bytes`, of which at most `capacity` (1 or more) are written. */
void dd_rice_begin(dd_rice *coder, uint8_t *bytes, size_t capacity);

/* Code the next `count` samples; any cut of a segment into pieces gives the same bytes. */
void dd_rice_push(dd_rice *coder, const int16_t *samples, size_t count);

/* End the segment and return its bytes, or 0 if they did not fit. */
size_t dd_rice_end(dd_rice *coder);

/* Code a whole segment into `bytes`, which holds DD_RICE_BYTES_MAX(count), and return how many it
 * took. Samples that coding does not make smaller are written as they are. */
size_t dd_rice_encode(const int16_t *samples, size_t count, uint8_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
