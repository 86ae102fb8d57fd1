"""The codec on a board: what it answers beyond any network's commands."""

from dynadeep.host_tools.codec import wire
from dynadeep.host_tools.codec.wire import EncodeReply
from dynadeep.host_tools.errors import WrongFirmwareError
from dynadeep.host_tools.link import answers, protocol
from dynadeep.host_tools.link.device import Device, Values
from dynadeep.host_tools.link.protocol import Command

KEEP_BOUND = -1


class CodecBoard:
    """A device whose firmware is a codec's.

    Raises:
        WrongFirmwareError: it runs a network alone.
    """

    def __init__(self, device: Device):
        self.device = device
        if device.about.application != "codec":
            raise WrongFirmwareError(
                f"{device.link.name}: the firmware runs a network alone, expected one with the "
                "codec. Generate it from a bundle that has a codec, or use 'parity' and 'profile'."
            )

    def encode(self, segment: Values, *, single: bool = False) -> EncodeReply:
        """Encode a segment and count it in the stream.

        ``single`` has the samples given to the encoder one by one, which only a streaming one can:
        ``worst_ticks`` is then what the slowest of them took.
        """
        flags = protocol.FLAG_SINGLE if single else 0
        *before, payload = self.device.in_pieces(Command.ENCODE, b"", segment, flags)
        if any(before):
            raise self.device.malformed("ENCODE gave a result before the segment was complete")
        reply = self.device.parse(wire.parse_encoded, payload)
        self.device.check(wire.check_encoded, reply, self.device.about)
        self.device.on_segment()
        return reply

    def bound(self, bound: int = KEEP_BOUND) -> int:
        """Set the error bound (Q8.24), unless negative; return the one in force."""
        payload = self.device.ask(Command.BOUND, wire.BOUND.pack(bound))
        if self.device.traffic.echoes:  # this reply alone may be the same as its request
            payload = self.device.ask(Command.BOUND, wire.BOUND.pack(KEEP_BOUND))
        found = self.device.parse(wire.parse_bound, payload)
        self.device.check(wire.check_bound, found, bound)
        return found

    def reset(self, stream: int = 0) -> None:
        """Begin a new stream of packets: its sequence starts at 0."""
        payload = self.device.ask(Command.RESET, wire.STREAM.pack(stream))
        self.device.check(answers.check_empty, payload, "RESET")
