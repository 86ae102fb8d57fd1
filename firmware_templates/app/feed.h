/* Giving a network its input, in pieces of any size. */
#ifndef FEED_H
#define FEED_H

#include <string.h>

#include "dd_net.h"

/* Give a network the next of its input: as many of `count` bytes as it has room for are `taken`.
 * DD_BAD_LENGTH if it has none, for the input is complete. */
DD_MUST_CHECK static inline dd_status dd_feed(const dd_net *net, const uint8_t *bytes, size_t count,
                                              size_t *taken, const dd_trace *trace)
{
    const uint32_t room = dd_net_room(net);
    *taken = count < room ? count : room;
    if (*taken == 0) {
        return DD_BAD_LENGTH;
    }
    memcpy(dd_net_space(net), bytes, *taken);
    return dd_net_run(net, (uint32_t)*taken, trace);
}

#endif
