"""Tell what a packet is: the next of its stream, one come late, a repeat, or a stream begun anew.

A sequence number counts a stream's segments modulo 2^16. Where the gateway has stamped a packet's
arrival, the stamp says which of the segments of that number it can be: a stream's packets are as
far apart as their segments. A wrap is due then, a repeat has the stamp that it had, a packet on its
way for long is stamped early, and what has begun anew counts less than the time that went by.
Without a stamp the number alone decides, as ``codec.timeline`` does it.

No input and no output: what was archived long ago is asked for by ``Known``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from dynadeep.host_tools.cloud.clock import RATE_MAX, Clock
from dynadeep.host_tools.cloud.schema import COUNT_MAX
from dynadeep.host_tools.codec.packet import SEQUENCES, count_near

WINDOW = 64
"""Segments that are remembered of a stream, and that its packets may wait on their way together."""
SKIPPED = 2
"""Segments by which number and arrival of a packet behind a gap may differ: drift comes on top."""
STREAMS = 4
"""Of a device that are remembered: what is on its way twice may be of one before the last."""
SESSIONS = 8

Known = Callable[[int, int], bool]
"""Whether a segment (stream, index) was archived."""


class Outcome(StrEnum):
    """What a packet is."""

    NEXT = "next"  # behind a gap, perhaps
    LATE = "late"  # in a gap
    REPEAT = "repeat"
    FIRST = "first"  # of the device
    RESTART = "restart"  # the first of a stream


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


@dataclass(frozen=True)
class Gap:
    """Segments that did not come, so far."""

    index: int
    count: int
    time_us: int


@dataclass(frozen=True)
class Placed:
    """What a packet is, and where it stands."""

    outcome: Outcome
    stream: int
    index: int
    time_us: int
    gap: Gap | None = None
    detail: str | None = None  # why a stream is taken for another


@dataclass
class Stream:
    """What is remembered of a stream."""

    number: int
    model: int
    label: int
    clock: Clock
    newest: int
    arrival_us: int  # of the newest
    begun_us: int  # arrival of the first that came
    sessions: list[str] = field(default_factory=list)
    recent: dict[int, tuple[int, int]] = field(default_factory=dict)  # index: CRC, arrival

    def take(self, packet: Arrived, index: int, *, late: bool = False) -> None:
        """Remember a packet that stands at ``index``."""
        self.recent[index] = (packet.crc, packet.arrival_us)
        if packet.session not in self.sessions:
            self.sessions = [*self.sessions[1 - SESSIONS :], packet.session]
        if not late:
            self.newest, self.arrival_us = index, packet.arrival_us
            self.clock.take(index, packet.arrival_us)
        if len(self.recent) > 2 * WINDOW:
            self.recent = {i: one for i, one in self.recent.items() if i > self.newest - WINDOW}


@dataclass(frozen=True)
class Verdict:
    """What a packet is, and of which stream; None if it begins one."""

    outcome: Outcome
    index: int
    stream: Stream | None


class Device:
    """The streams of one device."""

    def __init__(self, streams: Iterable[Stream] = ()) -> None:
        self.streams = list(streams)  # the newest last

    def judge(self, packet: Arrived, known: Known) -> Verdict:
        """Say what a packet is; nothing is remembered of it."""
        ended_us: int | None = None  # when the stream behind this one began
        for stream in reversed(self.streams):
            if (stream.model, stream.label) == (packet.model, packet.label):
                found = _judge(stream, packet, known, ended_us)
                if found is not None:
                    return Verdict(*found, stream)
            ended_us = stream.begun_us
        outcome = Outcome.RESTART if self.streams else Outcome.FIRST
        return Verdict(outcome, packet.sequence, None)

    def place(self, packet: Arrived, verdict: Verdict) -> Placed:
        """Remember a packet as what ``judge`` said that it is, and say where it stands."""
        stream, outcome, index = verdict.stream, verdict.outcome, verdict.index
        if stream is None:
            return self._begin(packet)
        before = stream.newest
        if outcome is not Outcome.REPEAT:
            stream.take(packet, index, late=outcome is Outcome.LATE)
        gap = None
        if outcome is Outcome.NEXT and index > before + 1:
            gap = Gap(before + 1, index - before - 1, stream.clock.time_us(before + 1))
        return Placed(outcome, stream.number, index, stream.clock.time_us(index), gap)

    def _begin(self, packet: Arrived) -> Placed:
        last = self.streams[-1] if self.streams else None
        number = last.number + 1 if last else 0
        index = packet.sequence
        stream = Stream(
            number,
            packet.model,
            packet.label,
            Clock(packet.period_us),
            index,
            packet.arrival_us,
            packet.arrival_us,
        )
        stream.take(packet, index)
        self.streams = [*self.streams[1 - STREAMS :], stream]
        time_us = stream.clock.time_us(index)
        if last is None:
            return Placed(Outcome.FIRST, number, index, time_us)
        begin_us = stream.clock.time_us(0)
        fits = 0 < index <= WINDOW and begin_us > last.arrival_us - packet.period_us
        lost = Gap(0, index, begin_us) if fits else None
        return Placed(Outcome.RESTART, number, index, time_us, lost, _why(last, packet))


def _judge(
    stream: Stream, packet: Arrived, known: Known, ended_us: int | None
) -> tuple[Outcome, int] | None:
    """Say what a packet is of a stream, and its index; None if it is none of it.

    ``ended_us`` is when the first packet of the stream behind it arrived.
    """
    index = (_stamped_index if packet.stamped else _counted_index)(stream, packet)
    if index is None or not 0 <= index <= COUNT_MAX:
        return None
    if index > stream.newest:
        # What follows in a stream that has ended was on its way when the other began.
        ended = ended_us is not None and not (packet.stamped and packet.arrival_us < ended_us)
        return None if ended else (Outcome.NEXT, index)
    if index in stream.recent:
        return (Outcome.REPEAT, index) if _is_same(stream, packet, index) else None
    if stream.newest - index < WINDOW:
        return (Outcome.LATE, index) if _fits(stream, packet, index) else None
    if not packet.stamped:
        return None
    return (Outcome.REPEAT if known(stream.number, index) else Outcome.LATE), index


def _stamped_index(stream: Stream, packet: Arrived) -> int | None:
    """Return the only segment that a packet can be by its number and its arrival, if any."""
    expected = stream.clock.index_at(packet.arrival_us)
    index = packet.sequence + SEQUENCES * round((expected - packet.sequence) / SEQUENCES)
    drift = RATE_MAX * abs(expected - stream.newest)
    lag = expected - index
    half_us = packet.period_us / 2
    if index <= stream.newest:
        late = packet.arrival_us > stream.arrival_us + half_us
        return None if late or abs(lag) > WINDOW + drift else index
    if packet.arrival_us < stream.arrival_us - half_us:
        return None
    follows = index == stream.newest + 1 and packet.session in stream.sessions
    most = WINDOW if follows else SKIPPED
    return index if abs(lag) <= most + drift else None


def _counted_index(stream: Stream, packet: Arrived) -> int | None:
    """Return the segment of a packet's number that is nearest to the next due."""
    return count_near(packet.sequence, stream.newest + 1)


def _is_same(stream: Stream, packet: Arrived, index: int) -> bool:
    """Whether a packet is the one that stands at ``index``, and not another of the same bytes."""
    crc, arrival_us = stream.recent[index]
    apart = abs(arrival_us - packet.arrival_us)
    return crc == packet.crc and (not packet.stamped or apart < packet.period_us / 2)


def _fits(stream: Stream, packet: Arrived, index: int) -> bool:
    """Whether a packet arrived between those around it; without a stamp nothing says that."""
    if not packet.stamped:
        return True
    half_us = packet.period_us / 2
    before = [at for i, (_, at) in stream.recent.items() if i < index]
    behind = [at for i, (_, at) in stream.recent.items() if i > index]
    earliest = max(before, default=stream.clock.time_us(index)) - half_us
    return earliest <= packet.arrival_us <= min(behind, default=packet.arrival_us) + half_us


def _why(last: Stream, packet: Arrived) -> str:
    """Say why a packet begins a stream."""
    if packet.model != last.model:
        return f"model {packet.model:08x} after {last.model:08x}"
    if packet.label != last.label:
        return f"the device's stream {packet.label} after its {last.label}"
    elapsed = (packet.arrival_us - last.arrival_us) / 1e6
    return (
        f"number {packet.sequence} came {elapsed:.1f} s after number {last.newest % SEQUENCES}, "
        "which no packet of that stream can"
    )
