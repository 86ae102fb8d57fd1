/* The wire as the source of samples, for boards that are emulated and for tests: each request is
 * answered once all of its samples were taken, so that none comes while the board is at work. */
#include "board.h"
#include "dd_bytes.h"
#include "source.h"

static dd_link *wire; /* null: nothing is to be answered */
static dd_request pending;
static size_t taken; /* bytes of it */

void source_start(void)
{
    wire = NULL;
}

bool source_read(int16_t *sample)
{
    if (wire == NULL) {
        return false;
    }
    if (taken == pending.payload_bytes) {
        dd_link_reply(wire, &pending, DD_OK, 0);
        wire = NULL;
        return false;
    }
    *sample = (int16_t)dd_get_u16(&pending.payload[taken]);
    taken += sizeof *sample;
    return true;
}

void source_receive(dd_link *link, const dd_request *request)
{
    wire = link;
    pending = *request;
    taken = 0;
}
