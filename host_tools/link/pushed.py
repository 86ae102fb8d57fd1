"""What a device sends by itself: its packets, that it began anew, that it crashed.

Nothing is asked, so that nothing is sent again: what noise spoils is lost, and counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dynadeep.host_tools.link.frames import SEQUENCES, FrameReader, Reply
from dynadeep.host_tools.link.protocol import (
    Command,
    Fault,
    Hello,
    MalformedError,
    parse_fault,
    parse_hello,
)


@dataclass(frozen=True)
class Announced:
    """The device has just started: its packets are a run of their own from here on."""

    about: Hello


@dataclass(frozen=True)
class Pushed:
    """A packet, as it came."""

    packet: bytes


@dataclass(frozen=True)
class Crashed:
    """The device reports a crash, and starts again."""

    fault: Fault


Event = Announced | Pushed | Crashed


@dataclass
class Line:
    """What a line brought so far."""

    packets: int = 0
    starts: int = 0  # announced ones
    faults: int = 0
    damaged: int = 0  # frames that cannot be believed
    lost: int = 0  # frames that the device's numbers tell of and that never came whole
    strange: int = 0  # whole frames that are none of a device that sends by itself


class PushedStream:
    """Cuts what comes out of a port into events; after noise it goes on with the next frame."""

    def __init__(self) -> None:
        self.line = Line()
        self._reader = FrameReader()
        self._due: int | None = None  # number of the next frame

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield what ``data`` completes."""
        for frame in self._reader.feed(data):
            event = None if isinstance(frame, MalformedError) else self._event(frame)
            if event is None:
                self.line.damaged += 1
            elif not isinstance(event, Reply):
                yield event

    def _event(self, frame: Reply) -> Event | Reply | None:
        """Return what a whole frame says, the frame if that is nothing here; None if it lies."""
        try:
            if frame.is_fault:
                self.line.faults += 1
                return Crashed(parse_fault(frame.payload))
            if frame.command == Command.ANNOUNCE:
                about = parse_hello(frame.payload)
                self._due = (frame.sequence + 1) % SEQUENCES
                self.line.starts += 1
                return Announced(about)
        except MalformedError:
            return None
        if frame.command != Command.PACKET:
            self.line.strange += 1
            return frame
        self._count_lost(frame.sequence)
        self.line.packets += 1
        return Pushed(frame.payload)

    def _count_lost(self, sequence: int) -> None:
        """Count the frames before this one; what looks like a step back is a start not heard."""
        missed = 0 if self._due is None else (sequence - self._due) % SEQUENCES
        self.line.lost += missed if missed < SEQUENCES // 2 else 0
        self._due = (sequence + 1) % SEQUENCES
