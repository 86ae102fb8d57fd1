"""What a packet holds at most; ``docs/packet.md`` has its layout."""

PACKET_OVERHEAD_BYTES = 17
RANGE_BYTES = 4  # the window's minimum and maximum, which "minmax" sends along

LOSSLESS_SLACK_BYTES = 8
"""What lossless samples may take beyond 2 bytes each: DD_RICE_SLACK_BITS."""

PACKET_LIMIT = (1 << 16) - 1 - (16 + 4 * 15)
"""Bytes of a packet: with the rest of ENCODE's reply, of 15 levels at most, its size is uint16."""

SEGMENT_LIMIT = (PACKET_LIMIT - PACKET_OVERHEAD_BYTES - LOSSLESS_SLACK_BYTES) // 2
"""Samples of a segment: lossless they are a packet's payload."""

CODES_LIMIT = PACKET_LIMIT - PACKET_OVERHEAD_BYTES - RANGE_BYTES
"""Codes of a level, which are a packet's payload."""
