"""What the codec says over the link beside any network's commands, as docs/protocol.md has it."""

import struct
from dataclasses import dataclass

from dynadeep.host_tools.codec.packet import SEQUENCES
from dynadeep.host_tools.link.answers import exactly, within
from dynadeep.host_tools.link.protocol import Hello, MalformedError, unpack_one

BOUND = struct.Struct("<i")
STREAM = struct.Struct("<HH")  # stream, sequence
PACKET_PLACE = struct.Struct("<6xHH")  # both, in a packet


@dataclass(frozen=True)
class EncodeReply:
    """One segment's outcome. Errors are Q8.24."""

    level: int
    predicted: tuple[int, ...]
    ticks: int
    worst_ticks: int  # of one call of the encoder
    clipped: int  # samples that the input map clipped
    packet: bytes


def parse_encoded(payload: bytes) -> EncodeReply:
    """Read the reply to ENCODE."""
    if len(payload) < 2 or len(payload) < 16 + 4 * payload[1]:
        raise MalformedError(f"ENCODE's reply is cut off after {len(payload)} bytes")
    level, levels = payload[0], payload[1]
    predicted = struct.unpack_from(f"<{levels}i", payload, 2)
    ticks, worst, clipped = struct.unpack_from("<QIH", payload, 2 + 4 * levels)
    return EncodeReply(level, predicted, ticks, worst, clipped, payload[16 + 4 * levels :])


def place_after(packet: bytes) -> tuple[int, int] | None:
    """Return stream and sequence of the packet after this one; None if it is too short to say."""
    if len(packet) < PACKET_PLACE.size:
        return None
    stream, sequence = PACKET_PLACE.unpack_from(packet)
    return stream, (sequence + 1) % SEQUENCES


def parse_bound(payload: bytes) -> int:
    """Read the reply to BOUND: the bound now in force, Q8.24."""
    (bound,) = unpack_one("<i", payload, "BOUND")
    return bound


def check_encoded(reply: EncodeReply, about: Hello) -> None:
    """Check one segment's outcome.

    Raises:
        MalformedError: it names the field, what was expected and what it is.
    """
    exactly("ENCODE: the number of predicted errors", len(reply.predicted), about.levels)
    within("level", reply.level, 0 if about.lossless else 1, about.levels, "ENCODE")
    within("number of clipped samples", reply.clipped, 0, about.input_length, "ENCODE")
    if not reply.packet:
        raise MalformedError("ENCODE: there is no packet behind the figures")
    if reply.worst_ticks > reply.ticks:
        raise MalformedError(
            f"ENCODE: the longest call took {reply.worst_ticks} ticks, all together {reply.ticks}"
        )


def check_bound(bound: int, requested: int) -> None:
    """Check the bound in force against the ``requested`` one, if that is not negative."""
    if requested >= 0:
        exactly("BOUND: the bound in force", bound, requested)
    within("bound", bound, 0, (1 << 31) - 1, "BOUND")
