"""Tell what a packet is: the next of its stream, one come late, a repeat, or a stream begun anew.

A sequence number counts a stream's segments modulo 2^16. The gateway stamps each packet with its
arrival, once, and with a session, within which numbers only grow. So a packet stamped earlier than
the newest of its session has come before, or was lost and comes late; one that is stamped later is
new: whatever the rate at which they come.

Where a stream's packets are as far apart as their segments, the stamp also says which of the
segments of a number a new one can be: a wrap is due then, and what has begun anew counts less than
the time that went by. Where they are not, the number alone says it. Without a stamp the number
decides too, as ``codec.timeline`` does it.

No input and no output: what was archived long ago is asked for by ``Known``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from dynadeep.host_tools.cloud.clock import RATE_MAX, Clock
from dynadeep.host_tools.cloud.memory import UNSTEADY_SHARE, WINDOW, Arrived, Stream
from dynadeep.host_tools.cloud.schema import COUNT_MAX
from dynadeep.host_tools.codec.packet import SEQUENCES, count_near

SKIPPED = 2
"""Segments by which number and arrival of a packet behind a gap may differ: drift comes on top."""
UNSTEADIER = 2
"""Times what a stream's packets were early or late before the gap, they may be so behind it."""
STREAMS = 32
"""Of a device that are remembered: what is on its way twice may be of one before the last."""
HASTE = 2
"""By how much the pace of packets that come at any rate may differ from what it was."""

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

    def stream(self, number: int) -> Stream:
        """Return the stream of that number, one of those that are remembered."""
        return next(stream for stream in self.streams if stream.number == number)

    def judge(self, packet: Arrived, known: Known) -> Verdict:
        """Say what a packet is; nothing is remembered of it."""
        for stream, ended_us in self._candidates(packet):
            judged = _judge(stream, packet, known, ended_us)
            if judged is not None:
                return Verdict(*judged, stream)
        outcome = Outcome.RESTART if self.streams else Outcome.FIRST
        return Verdict(outcome, packet.sequence, None)

    def _candidates(self, packet: Arrived) -> list[tuple[Stream, int | None]]:
        """Return the streams that a packet can be of, and when the one behind each began.

        The newest comes first. A session that is known says of which streams it can be.
        """
        streams = self.streams[::-1]
        ends = [None, *(stream.begun_us for stream in streams)]
        alike = [pair for pair in zip(streams, ends, strict=False) if _is_alike(pair[0], packet)]
        of_session = [pair for pair in alike if pair[0].has_session(packet)]
        if not packet.stamped:
            return of_session or alike
        if of_session:
            *later, first = of_session
            return [*(pair for pair in later if packet.arrival_us >= pair[0].begun_us), first]
        return [pair for pair in alike if pair[1] is None or packet.arrival_us < pair[1]]

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
        return Placed(outcome, stream.number, index, stream.time_of(index), gap)

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
        if last is not None:
            last.end()
        self.streams = [*self.streams[1 - STREAMS :], stream]
        time_us = stream.clock.time_us(index)
        if last is None:
            return Placed(Outcome.FIRST, number, index, time_us)
        begin_us = stream.clock.time_us(0)
        fits = 0 < index <= WINDOW and begin_us > last.arrival_us - packet.period_us
        lost = Gap(0, index, begin_us) if fits else None
        return Placed(Outcome.RESTART, number, index, time_us, lost, _why(last, packet))


def _is_alike(stream: Stream, packet: Arrived) -> bool:
    return (stream.model, stream.label) == (packet.model, packet.label)


def _judge(
    stream: Stream, packet: Arrived, known: Known, ended_us: int | None
) -> tuple[Outcome, int] | None:
    """Say what a packet is of a stream, and its index; None if it is none of it.

    ``ended_us`` is when the first packet of the stream behind it arrived.
    """
    index = _index(stream, packet)
    if index is None or not 0 <= index <= COUNT_MAX:
        return None
    if index > stream.newest:
        # What follows in a stream that has ended was on its way when the other began.
        ended = ended_us is not None and not (packet.stamped and packet.arrival_us <= ended_us)
        return None if ended else (Outcome.NEXT, index)
    if index in stream.recent:
        return (Outcome.REPEAT, index) if _is_same(stream, packet, index) else None
    is_near = stream.newest - index < WINDOW
    if not (packet.stamped or is_near or stream.has_session(packet)):
        return None
    if not (is_near and stream.remembers_all()) and known(stream.number, index):
        return Outcome.REPEAT, index
    fits = _fits(stream, packet, index) if is_near else packet.stamped
    return (Outcome.LATE, index) if fits else None


def _index(stream: Stream, packet: Arrived) -> int | None:
    """Return the only segment of a stream that a packet can be, if any."""
    by_number = count_near(packet.sequence, stream.newest + 1)
    if not packet.stamped:
        return by_number
    in_session = stream.has_session(packet)
    ahead_us = packet.arrival_us - stream.arrival_us
    is_behind = ahead_us < 0 or (ahead_us == 0 and by_number <= stream.newest)
    if is_behind and (in_session or not (packet.session or stream.is_steady())):
        index = _nearest(packet.sequence, stream.index_at(packet.arrival_us))
        return index if index <= stream.newest else _index_ahead(stream, packet, index)
    return _index_ahead(stream, packet, by_number)


def _index_ahead(stream: Stream, packet: Arrived, by_number: int) -> int | None:
    """Return the segment that a packet is which has not come before, or not long before."""
    in_session = stream.has_session(packet)
    if stream.is_steady():
        index = _index_by_time(stream, packet)
        if index is not None or not in_session:
            return index
    return by_number if _can_follow(stream, packet, by_number) else None


def _can_follow(stream: Stream, packet: Arrived, index: int) -> bool:
    """Whether a packet can go on with a stream whose packets come at any rate."""
    ahead, in_session = index - stream.newest, stream.has_session(packet)
    if ahead <= 0:
        return in_session and ahead == 0
    expected = (packet.arrival_us - stream.arrival_us) / max(1.0, stream.pace_us())
    wraps = packet.sequence < ahead
    if wraps and packet.sequence < WINDOW and ahead > (WINDOW if in_session else 1):
        # So a device counts that has begun anew, unless its wrap was due by now.
        return (
            in_session and not stream.is_young() and abs(expected - ahead) <= UNSTEADY_SHARE * ahead
        )
    if not stream.is_steady() and (in_session or ahead <= WINDOW):
        return True
    if in_session and stream.is_young():
        return True
    return ahead / HASTE - WINDOW <= expected <= ahead * HASTE + WINDOW


def _index_by_time(stream: Stream, packet: Arrived) -> int | None:
    """Return the segment that a packet is by its number and its arrival, where these agree.

    They need to agree closely only where the packet can be of a device that has begun anew: one
    that counts from 0 has no number beyond the time that went by.
    """
    ahead_us = packet.arrival_us - stream.arrival_us
    half_us = packet.period_us / 2
    estimates = [stream.clock.index_at(packet.arrival_us)]
    if not stream.is_young():
        estimates.append(stream.newest + ahead_us / max(1.0, stream.pace_us()))
    skipped = SKIPPED + UNSTEADIER * stream.unsteadiness()
    may_restart = (
        packet.sequence <= (1 + UNSTEADY_SHARE) * (max(estimates) - stream.newest) + WINDOW
    )
    for expected in estimates:
        index = _nearest(packet.sequence, expected)
        is_behind = index <= stream.newest
        follows = index == stream.newest + 1 and (not packet.session or stream.has_session(packet))
        most = WINDOW if is_behind or follows or not may_restart else skipped
        in_time = ahead_us <= half_us if is_behind else ahead_us >= -half_us
        drift = (RATE_MAX + stream.clock.drift()) * abs(expected - stream.newest)
        if in_time and abs(expected - index) <= most + drift:
            return index
    return _index_between(stream, packet, min(estimates), max(estimates))


def _index_between(stream: Stream, packet: Arrived, first: float, last: float) -> int | None:
    """Return the segment between those that clock and pace say: one of the two is wrong then."""
    index = _nearest(packet.sequence, (first + last) / 2)
    says_something = last - first < SEQUENCES / 8
    fits = says_something and index > stream.newest and first <= index <= last
    return index if fits else None


def _nearest(sequence: int, expected: float) -> int:
    """Return the count of packets whose number is ``sequence``, nearest to what is expected."""
    return sequence + SEQUENCES * round((expected - sequence) / SEQUENCES)


def _is_same(stream: Stream, packet: Arrived, index: int) -> bool:
    """Whether a packet is the one that stands at ``index``, and not another of the same bytes."""
    crc, arrival_us = stream.recent[index]
    apart = abs(arrival_us - packet.arrival_us)
    half_us = min(packet.period_us, stream.pace_us()) / 2
    return crc == packet.crc and (not packet.stamped or apart == 0 or apart < half_us)


def _fits(stream: Stream, packet: Arrived, index: int) -> bool:
    """Whether a packet arrived between those around it; without a stamp nothing says that."""
    if not packet.stamped:
        return True
    half_us = packet.period_us / 2
    before = [at for i, (_, at) in stream.recent.items() if i < index]
    behind = [at for i, (_, at) in stream.recent.items() if i > index]
    earliest = max(before, default=stream.time_of(index)) - half_us
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
