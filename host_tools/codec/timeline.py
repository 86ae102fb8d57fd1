"""Put received packets where their segments were in time: gaps stay open, repeats fall out.

A sequence number counts a stream's segments modulo 2^16. Whatever lies at most half of that ahead
of the newest is a later segment, and what is skipped was lost. What lies behind is a repeat if the
same bytes were received under that number, late if that number is missing shortly before, and else
the first that came of the same stream begun anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dynadeep.host_tools.codec.packet import SEQUENCES, Packet, count_near

LATE_AT_MOST = 64
"""Segments behind the newest. What is further behind is not late: its sender has restarted."""


@dataclass
class Run:
    """A stream from its begin on, until it ends or begins anew."""

    stream: int
    received: dict[int, Packet] = field(default_factory=dict)  # by the segment's number, unwrapped
    newest: int = -1

    @property
    def length(self) -> int:
        """Return the number of segments up to the newest, lost ones included."""
        return self.newest + 1

    @property
    def lost(self) -> list[int]:
        """Return the numbers of the segments that were not received, ascending."""
        if len(self.received) == self.length:
            return []
        return [number for number in range(self.length) if number not in self.received]


@dataclass
class Timeline:
    """All streams in the order in which they began, and how their packets came."""

    runs: list[Run] = field(default_factory=list)
    repeated: int = 0
    late: int = 0
    restarts: int = 0

    @property
    def segments(self) -> int:
        """Return the number of segments of all runs, lost ones included."""
        return sum(run.length for run in self.runs)

    @property
    def lost(self) -> int:
        """Return how many segments of all runs were not received."""
        return self.segments - sum(len(run.received) for run in self.runs)


def place(packets: Iterable[Packet]) -> Timeline:
    """Return the timeline of packets in the order in which they were received."""
    timeline = Timeline()
    streams: dict[int, _Placer] = {}
    for packet in packets:
        if packet.stream not in streams:
            streams[packet.stream] = _Placer(timeline, packet.stream)
        streams[packet.stream].take(packet)
    return timeline


class _Placer:
    """Places the packets of one stream."""

    def __init__(self, timeline: Timeline, stream: int) -> None:
        self._timeline = timeline
        self._repeats: list[Packet] = []  # the last packets, if all were repeats in a row
        self._run = self._begin(stream)

    def take(self, packet: Packet) -> None:
        """Place the next packet."""
        run = self._run
        number = packet.sequence if run.newest < 0 else count_near(packet.sequence, run.newest + 1)
        known = run.received.get(number)
        if known == packet:
            self._repeat(packet)
            return
        if number > run.newest:
            run.newest = number
        elif known is None and number >= 0 and run.newest - number <= LATE_AT_MOST:
            self._timeline.late += 1
        else:
            self._restart(packet)
            return
        self._repeats = []
        run.received[number] = packet

    def _begin(self, stream: int) -> Run:
        run = Run(stream)
        self._timeline.runs.append(run)
        return run

    def _repeat(self, packet: Packet) -> None:
        self._timeline.repeated += 1
        last = self._repeats[-1].sequence if self._repeats else None
        follows = last is not None and packet.sequence == (last + 1) % SEQUENCES
        self._repeats = [*self._repeats, packet] if follows else [packet]

    def _restart(self, packet: Packet) -> None:
        """Begin anew; repeats that lead up to this packet were the begin, of the same signal."""
        self._timeline.restarts += 1
        repeats, self._repeats = self._repeats, []
        self._run = self._begin(packet.stream)
        if repeats and packet.sequence == (repeats[-1].sequence + 1) % SEQUENCES:
            self._timeline.repeated -= len(repeats)
            for repeat in repeats:
                self.take(repeat)
        self.take(packet)
