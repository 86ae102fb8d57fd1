#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operations.h"

#define REPLY_MAX (1u << 24)

static uint8_t reply[REPLY_MAX];
static size_t reply_bytes;

static void die(const char *why)
{
    fprintf(stderr, "harness: %s\n", why);
    exit(2);
}

static void take(request *from, void *to, size_t bytes)
{
    if (from->left < bytes) {
        die("the request is too short");
    }
    memcpy(to, from->at, bytes);
    from->at += bytes;
    from->left -= bytes;
}

#define DEFINE_TAKE(name, type)           \
    type name(request *from)              \
    {                                     \
        type value;                       \
        take(from, &value, sizeof value); \
        return value;                     \
    }
DEFINE_TAKE(take_u8, uint8_t)
DEFINE_TAKE(take_u16, uint16_t)
DEFINE_TAKE(take_u32, uint32_t)
DEFINE_TAKE(take_s8, int8_t)
DEFINE_TAKE(take_s16, int16_t)
DEFINE_TAKE(take_s32, int32_t)

void *exact_block(size_t bytes)
{
    void *block = malloc(bytes == 0 ? 1 : bytes);
    if (block == NULL) {
        die("no memory");
    }
    return block;
}

void *take_block(request *from, size_t bytes)
{
    void *block = exact_block(bytes);
    take(from, block, bytes);
    return block;
}

void put(const void *bytes, size_t count)
{
    if (REPLY_MAX - reply_bytes < count) {
        die("the reply is too long");
    }
    memcpy(reply + reply_bytes, bytes, count);
    reply_bytes += count;
}

void put_u8(uint8_t value)
{
    put(&value, sizeof value);
}

void put_u16(uint16_t value)
{
    put(&value, sizeof value);
}

void put_u32(uint32_t value)
{
    put(&value, sizeof value);
}

static void send_reply(void)
{
    const uint32_t count = (uint32_t)reply_bytes;
    if (fwrite(&count, sizeof count, 1, stdout) != 1 ||
        fwrite(reply, 1, reply_bytes, stdout) != reply_bytes) {
        die("cannot write the reply");
    }
    fflush(stdout);
    reply_bytes = 0;
}

/* Requests until the pipe closes: u32 length, u8 operation, what the operation takes. */
int main(void)
{
    uint32_t count;
    while (fread(&count, sizeof count, 1, stdin) == 1) {
        uint8_t *bytes = exact_block(count);
        if (fread(bytes, 1, count, stdin) != count) {
            die("the request ends early");
        }
        request from = {bytes, count};
        run_operation(&from);
        free(bytes);
        send_reply();
    }
    return 0;
}
