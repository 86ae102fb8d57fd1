#include "mlperf_text.h"

#include <string.h>

#include "board.h"

#define DIGITS_MAX 20 /* of 2^64 - 1 */
#define NO_DIGIT   16u

void mlperf_put(const char *text)
{
    board_write((const uint8_t *)text, strlen(text));
}

void mlperf_put_number(uint64_t number)
{
    char digits[DIGITS_MAX + 1] = "";
    char *first = &digits[DIGITS_MAX];
    do {
        first--;
        *first = (char)('0' + (char)(number % 10u));
        number /= 10u;
    } while (number != 0);
    mlperf_put(first);
}

void mlperf_put_signed(int32_t number)
{
    if (number < 0) {
        mlperf_put("-");
    }
    mlperf_put_number(number < 0 ? 0u - (uint32_t)number : (uint32_t)number);
}

void mlperf_put_hex(uint32_t number, uint32_t digits)
{
    static const char figures[] = "0123456789abcdef";
    while (digits > 0) {
        digits--;
        const char digit[2] = {figures[(number >> (4u * digits)) & 0xFu], '\0'};
        mlperf_put(digit);
    }
}

void mlperf_put_quoted(const char *text)
{
    for (; *text != '\0'; text++) {
        const bool printable = *text >= ' ' && *text <= '~';
        const char shown[2] = {printable ? *text : '?', '\0'};
        mlperf_put(shown);
    }
}

void mlperf_end(const char *text)
{
    mlperf_put(text);
    mlperf_put("\r\n");
}

char *mlperf_word(char **text)
{
    char *const word = *text + strspn(*text, " ");
    char *const end = word + strcspn(word, " ");
    *text = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

bool mlperf_number(const char *word, uint32_t most, uint32_t *number)
{
    uint64_t value = 0;
    const char *digit = word;
    for (; *digit >= '0' && *digit <= '9' && value <= most; digit++) {
        value = 10u * value + (uint32_t)(*digit - '0');
    }
    if (digit == word || *digit != '\0' || value > most) {
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

static uint32_t digit_of(char character)
{
    if (character >= '0' && character <= '9') {
        return (uint32_t)(character - '0');
    }
    const char small = (char)(character | 0x20);
    return small >= 'a' && small <= 'f' ? (uint32_t)(small - 'a') + 10u : NO_DIGIT;
}

size_t mlperf_bytes(const char *word, uint8_t *bytes, size_t room)
{
    const size_t length = strlen(word);
    if (length % 2u != 0 || length / 2u > room) {
        return 0;
    }
    for (size_t i = 0; i < length; i++) {
        if (digit_of(word[i]) == NO_DIGIT) {
            return 0;
        }
    }
    for (size_t i = 0; i < length; i += 2) {
        bytes[i / 2u] = (uint8_t)(digit_of(word[i]) << 4 | digit_of(word[i + 1u]));
    }
    return length / 2u;
}
