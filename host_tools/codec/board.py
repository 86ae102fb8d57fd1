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
        self._bound: int | None = None  # in force; None: as it was found
        self._place: tuple[int, int] | None = None  # stream and sequence of the next packet
        if device.about.application != "codec":
            raise WrongFirmwareError(
                f"{device.link.name}: the firmware runs a network alone, expected one with the "
                "codec. Generate it from a bundle that has a codec, or use 'parity' and 'profile'."
            )
        self.device.restore = self._restore

    def encode(self, segment: Values, *, single: bool = False) -> EncodeReply:
        """Encode a segment and count it in the stream.

        ``single`` has the samples given to the encoder one by one, which only a streaming one can:
        ``worst_ticks`` is then what the slowest of them took.
        """
        flags = protocol.FLAG_SINGLE if single else 0
        if self._bound is None and self.device.restarts_allowed:
            self.bound()
        payload = self.device.run_in_pieces(Command.ENCODE, segment, flags)
        reply = self.device.parse(wire.parse_encoded, payload)
        self.device.check(wire.check_encoded, reply, self.device.about)
        self._place = wire.place_after(reply.packet)
        self.device.on_segment()
        return reply

    def bound(self, bound: int = KEEP_BOUND) -> int:
        """Set the error bound (Q8.24), unless negative; return the one in force."""
        in_force = self.device.resumed(lambda: self._ask_bound(bound))
        self._bound = in_force
        return in_force

    def _ask_bound(self, bound: int) -> int:
        payload = self.device.ask(Command.BOUND, wire.BOUND.pack(bound))
        if self.device.traffic.echoes:  # this reply alone may be the same as its request
            payload = self.device.ask(Command.BOUND, wire.BOUND.pack(KEEP_BOUND))
        in_force = self.device.parse(wire.parse_bound, payload)
        self.device.check(wire.check_bound, in_force, bound)
        return in_force

    def reset(self, stream: int = 0, sequence: int = 0) -> None:
        """Begin a new stream of packets, or go on with one at ``sequence``."""
        self._place = (stream, sequence)
        self.device.resumed(lambda: self._ask_reset(stream, sequence))

    def _ask_reset(self, stream: int, sequence: int) -> None:
        payload = self.device.ask(Command.RESET, wire.STREAM.pack(stream, sequence))
        self.device.check(answers.check_empty, payload, "RESET")

    def _restore(self) -> None:
        """Have the board's bound, stream and sequence as they were before it restarted."""
        if self._bound is not None:
            self._ask_bound(self._bound)
        if self._place is not None:
            self._ask_reset(*self._place)
