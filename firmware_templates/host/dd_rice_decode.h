/* The other half of dd_rice.h, for the receiver's computer: samples out of their codes. */
#ifndef DD_RICE_DECODE_H
#define DD_RICE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decode `length` bytes into exactly `count` samples. False if no encoder makes such bytes of so
 * many samples: what lies in `samples` is of no use then. Any bytes may be given. */
bool dd_rice_decode(const uint8_t *bytes, size_t length, int16_t *samples, size_t count);

/* Decode `segments` of `count` samples each. Segment i has the bytes from offsets[i] up to
 * offsets[i + 1], its samples go to samples + i * count, and right[i] is what dd_rice_decode says.
 * The caller has made sure that the offsets ascend and lie in `bytes`. */
void dd_rice_decode_all(const uint8_t *bytes, const int64_t *offsets, size_t segments,
                        int16_t *samples, size_t count, uint8_t *right);

#endif
