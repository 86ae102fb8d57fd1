/* The firmware: feed the wire to the commands, forever. */
#include "board.h"
#include "commands.h"

static dd_app app;

int main(void)
{
    board_init();
    dd_app_init(&app);
    for (;;) {
        uint8_t byte;
        if (board_read(&byte)) {
            dd_app_receive(&app, byte);
        }
    }
}
