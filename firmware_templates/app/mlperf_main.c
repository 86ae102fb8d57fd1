/* The firmware of an MLPerf Tiny device: feed the wire to its commands, forever. */
#include "board.h"
#include "mlperf.h"

int main(void)
{
    board_init();
    mlperf_init();
    for (;;) {
        uint8_t byte;
        if (board_read(&byte)) {
            mlperf_receive(byte);
        }
    }
}
