/* Two streaming encoders, fed as standard input says: encoder u8, operation u8 ('p' push, 'b' begin
 * anew), count u16, and of a push that many samples. Writes each packet as encoder u8, length u32
 * and the bytes. The argument is the bound in Q8.24. */
#include <stdio.h>
#include <stdlib.h>

#include "model_codec.h"

static model_encoder encoders[2];
static uint8_t bytes[2][MODEL_PACKET_BYTES_MAX];
static dd_packet packets[2];
static int16_t samples[65535];

static void show(uint8_t which, uint32_t length)
{
    fwrite(&which, 1, 1, stdout);
    fwrite(&length, sizeof length, 1, stdout);
    fwrite(bytes[which], 1, length, stdout);
}

static int push(uint8_t which, size_t count)
{
    size_t done = 0;
    while (done < count) {
        size_t taken = 0;
        const dd_status status =
            model_encode_push(&encoders[which], samples + done, count - done, &taken);
        done += taken;
        if (status == DD_PACKET_READY) {
            show(which, (uint32_t)packets[which].length);
        } else if (status != DD_OK) {
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    const dd_error bound = argc > 1 ? (dd_error)strtol(argv[1], NULL, 10) : 0;
    uint8_t head[2];
    uint16_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        packets[i] = (dd_packet){.bytes = bytes[i], .capacity = sizeof bytes[i]};
        if (model_encoder_init(&encoders[i], 0x1234) != DD_OK ||
            model_encode_begin(&encoders[i], bound, &packets[i]) != DD_OK) {
            return 1;
        }
    }
    while (fread(head, 1, 2, stdin) == 2 && fread(&count, sizeof count, 1, stdin) == 1) {
        if (head[1] == 'b') {
            if (model_encode_begin(&encoders[head[0]], bound, &packets[head[0]]) != DD_OK) {
                return 2;
            }
        } else if (fread(samples, sizeof samples[0], count, stdin) != count ||
                   push(head[0], count) != 0) {
            return 3;
        }
    }
    return 0;
}
