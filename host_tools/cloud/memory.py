"""What is remembered of a stream: its last packets, whose sessions they are of, and where it was.

Marks, a few in a day, say which segment came when. By them the segment of a packet that comes again
is found at any distance, however fast or slow the packets came.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from dynadeep.host_tools.cloud.clock import Clock

WINDOW = 64
"""Segments that are remembered of a stream, and that its packets may wait on their way together."""
SESSIONS = 32
MARK_EVERY = 1 << 14
"""Segments: of two packets of a number one lies in another pair of marks, or far from it."""
MARKS = 256
"""Of a stream: 300 days at 300 Hz."""
YOUNG = 3
"""Steps below which nothing is said of how fast packets come."""
UNSTEADY, UNSTEADY_SHARE = 2, 0.1
"""Segments, and of all of them, by which steady packets may come early or late."""


@dataclass(frozen=True)
class Arrived:
    """A whole packet of a known model, and how it came."""

    model: int
    label: int  # the number that its sender gives the stream
    sequence: int
    crc: int
    arrival_us: int  # Unix
    period_us: float  # of a segment
    session: str = ""
    stamped: bool = True  # by the gateway; else the collector's clock


class Mark(NamedTuple):
    """Where a stream was."""

    segment: int
    arrival_us: int
    time_us: int  # when the segment began, as it was archived


@dataclass
class Stream:
    """A stream of a device."""

    number: int
    model: int
    label: int
    clock: Clock
    newest: int
    arrival_us: int  # of the newest
    begun_us: int  # arrival of the first that came
    sessions: list[str] = field(default_factory=list)
    recent: dict[int, tuple[int, int]] = field(default_factory=dict)  # index: CRC, arrival
    marks: list[Mark] = field(default_factory=list)
    ended_steady: bool | None = None  # what ``is_steady`` said before another began

    def take(self, packet: Arrived, index: int, *, late: bool = False) -> None:
        """Remember a packet that stands at ``index``."""
        self.recent[index] = (packet.crc, packet.arrival_us)
        if packet.session and packet.session not in self.sessions:
            self.sessions = [*self.sessions[1 - SESSIONS :], packet.session]
        if not late:
            self._go_on(index, packet.arrival_us)
        if len(self.recent) > 2 * WINDOW:
            self.recent = {i: entry for i, entry in self.recent.items() if i > self.newest - WINDOW}

    def end(self) -> None:
        """Remember little: another stream has begun, and the archive has what came of this one."""
        self.ended_steady = self.is_steady()
        self.recent = {self.newest: self.recent[self.newest]}

    def remembers_all(self) -> bool:
        """Whether all that came within WINDOW of the newest is in ``recent``."""
        return self.ended_steady is None

    def has_session(self, packet: Arrived) -> bool:
        """Whether a packet is of a session that packets of this stream were of."""
        return packet.session in self.sessions

    def pace_us(self) -> float:
        """Return the time that a segment took lately, as the packets came."""
        steps, elapsed_us = self._lately()
        return elapsed_us / steps if steps else self.clock.period_us

    def is_young(self) -> bool:
        """Whether too little came to say how fast packets come."""
        return len(self.recent) <= YOUNG

    def is_steady(self) -> bool:
        """Whether packets come as fast as segments take, as far as can be said."""
        if self.ended_steady is not None:
            return self.ended_steady
        return self.unsteadiness() <= max(UNSTEADY, UNSTEADY_SHARE * self._lately()[0])

    def unsteadiness(self) -> float:
        """Return by how many segments its packets came early or late lately."""
        steps, elapsed_us = self._lately()
        return abs(elapsed_us / self.clock.period_us - steps)

    def index_at(self, arrival_us: int) -> float:
        """Return, about, which segment's packet arrived at a time that lies behind."""
        marks = self._marks()
        if arrival_us < marks[0].arrival_us:
            return marks[0].segment - (marks[0].arrival_us - arrival_us) / self.clock.period_us
        at = max(i for i, mark in enumerate(marks) if mark.arrival_us <= arrival_us)
        before, behind = marks[at], marks[min(at + 1, len(marks) - 1)]
        span_us = behind.arrival_us - before.arrival_us
        share = (arrival_us - before.arrival_us) / span_us if span_us > 0 else 0.0
        return before.segment + share * (behind.segment - before.segment)

    def times_around(self, index: int) -> tuple[int, int]:
        """Return two times between which a segment began, as it would have been archived."""
        marks = self._marks()
        line_us = self.clock.time_us(index)
        if index <= marks[0].segment:
            return min(line_us, marks[0].time_us), marks[0].time_us
        for before, behind in pairwise(marks):
            if index <= behind.segment:
                return before.time_us, max(before.time_us, behind.time_us)
        return line_us, line_us

    def time_of(self, index: int) -> int:
        """Return when a segment began."""
        line_us = self.clock.time_us(index)
        if index == self.newest:
            return line_us
        earliest, latest = self.times_around(index)
        return min(max(line_us, earliest), latest)

    def _go_on(self, index: int, arrival_us: int) -> None:
        before = self._newest()
        self.newest, self.arrival_us = index, arrival_us
        self.clock.take(index, arrival_us)
        if not self.marks or index // MARK_EVERY != before.segment // MARK_EVERY:
            self.marks = self.marks[2 - MARKS :]
            if self.marks and self.marks[-1].segment < before.segment:
                self.marks.append(before)
            self.marks.append(self._newest())

    def _lately(self) -> tuple[int, int]:
        """Return the steps from the oldest packet in ``recent`` to the newest, and their time."""
        oldest = min(self.recent)
        return self.newest - oldest, self.arrival_us - self.recent[oldest][1]

    def _newest(self) -> Mark:
        return Mark(self.newest, self.arrival_us, self.clock.time_us(self.newest))

    def _marks(self) -> Sequence[Mark]:
        newest = self._newest()
        return self.marks if self.marks[-1].segment == newest.segment else [*self.marks, newest]
