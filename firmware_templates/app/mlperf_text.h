/* The text of the MLPerf Tiny protocol: lines out, words and numbers in. */
#ifndef MLPERF_TEXT_H
#define MLPERF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void mlperf_put(const char *text);
void mlperf_put_number(uint64_t number);
void mlperf_put_signed(int32_t number);
void mlperf_put_hex(uint32_t number, uint32_t digits);

/* What a host sent, with a question mark for each character that is not printable ASCII. */
void mlperf_put_quoted(const char *text);

/* End a line: `text` and CR LF. */
void mlperf_end(const char *text);

/* Cut the next word off a text and return it; empty where there is none. */
char *mlperf_word(char **text);

/* Read a decimal number; false where `word` is none, or is above `most`. */
bool mlperf_number(const char *word, uint32_t most, uint32_t *number);

/* Read pairs of hexadecimal digits into `bytes`, `room` of them at most. Returns how many they are;
 * 0 where `word` is no such pairs, or has more. Nothing is written then. */
size_t mlperf_bytes(const char *word, uint8_t *bytes, size_t room);

#endif
