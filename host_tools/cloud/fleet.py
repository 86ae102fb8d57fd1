"""Simulated devices: what they send, what is lost and repeated on the way, and what is true of it.

Every draw follows from the seed and the device's name, so that each test and benchmark has the same
load again.
"""

import heapq
import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.cloud.bundles import period_us
from dynadeep.host_tools.cloud.collector import Collector, Message
from dynadeep.host_tools.cloud.encoded import Encoded, Record
from dynadeep.host_tools.cloud.schema import model_number
from dynadeep.host_tools.codec import packet as packets

START_US = 1_767_225_600_000_000
"""2026-01-01, 0:00 UTC."""
DAY_US = 86_400_000_000
DRIFT_MOST = 5e-5
DELAY_US, JITTER_US = 20_000, 30_000
RESTART_US = 10_000_000
"""Of a device that begins anew: as long on average."""
SETTLED = 8
"""Segments after a begin that are neither lost nor the last: who restarts at once says nothing."""
AGAIN = 40
"""Packets that come again together, at most."""
COMMIT, FLUSH = 1000, 200_000
"""Messages that are committed together, and rows that are written together."""


@dataclass(frozen=True)
class Rates:
    """Of all segments, the share that ..."""

    loss: float = 0.01  # is lost
    repeat: float = 0.01  # is followed by packets that come again
    restart: float = 0.0005  # is followed by a restart


@dataclass(frozen=True)
class Delivery:
    """A message, and what is true of it."""

    at_us: int  # when it comes; a repeat's stamp is older
    message: Message
    run: int  # counts the device's restarts
    number: int  # of the segment in its run, not wrapped
    is_repeat: bool  # it was delivered before


@dataclass
class Truth:
    """What became of all segments."""

    segments: int = 0  # made by the devices
    lost: int = 0
    delivered: int = 0  # each counted once
    repeated: int = 0  # deliveries that were not the first
    restarts: int = 0
    levels: dict[int, int] = field(default_factory=dict)  # of those delivered


def deliveries(
    names: Sequence[str],
    records: Sequence[Record],
    manifest: Manifest,
    *,
    days: float,
    rates: Rates,
    seed: int,
    truth: Truth,
) -> Iterator[Delivery]:
    """Yield what a collector gets of all devices, in the order of time; ``truth`` counts along.

    Args:
        names: of the devices.
        records: what they play, each from a random segment on and in an order of its own.
        manifest: of the model that encoded them.
        days: how long they send.
        rates: of what goes wrong.
        seed: of all draws.
        truth: what is true so far.
    """
    by_device = [
        _Device(name, records, manifest, rates, seed).deliveries(days, truth) for name in names
    ]
    return heapq.merge(*by_device, key=lambda delivery: delivery.at_us)


def fill(root: Path, manifest: Manifest, deliveries: Iterable[Delivery]) -> dict[str, int]:
    """Put deliveries into an archive by the collector's own ways; return what it counted.

    Raises:
        BusyError: a collector is at work there.
        ArchiveError: it cannot be written.
    """
    now_us = START_US
    models = {model_number(packets.short_model_id(manifest)): manifest}
    with Collector(root, models, now_us=lambda: now_us) as collector:
        rows = 0
        for count, delivery in enumerate(deliveries, 1):
            now_us = delivery.at_us
            collector.take(delivery.message)
            if count % COMMIT == 0:
                rows += collector.commit()
            if rows >= FLUSH:
                rows = _flush(collector)
        collector.commit()
        _flush(collector)
        return dict(collector.counts)


def _flush(collector: Collector) -> int:
    for _ in collector.flush():
        pass
    return 0


class _Device:
    """One device, all that it draws its own."""

    def __init__(
        self, name: str, records: Sequence[Record], manifest: Manifest, rates: Rates, seed: int
    ) -> None:
        self._name, self._records, self._manifest, self._rates = name, records, manifest, rates
        self._rng = random.Random(f"{seed}/{name}")
        self._run = 0
        self._first = self._rng.randrange(
            packets.SEQUENCES
        )  # the collector came in the midst of it
        self._number = self._first
        self._session = self._new_session()

    def deliveries(self, days: float, truth: Truth) -> Iterator[Delivery]:
        """Yield what comes of it."""
        rng, rates = self._rng, self._rates
        period = period_us(self._manifest) * (1 + rng.uniform(-DRIFT_MOST, DRIFT_MOST))
        time, end = START_US + rng.uniform(0, period), START_US + days * DAY_US
        recent: deque[Delivery] = deque(maxlen=AGAIN)
        for segment in _played(self._records, rng):
            time += period
            if time > end:
                return
            truth.segments += 1
            truth.restarts += self._run > 0 and self._number == 0
            if self._number - self._first >= SETTLED and rng.random() < rates.loss:
                truth.lost += 1
            else:
                delivery = self._deliver(segment, time, truth)
                recent.append(delivery)
                yield delivery
                if rng.random() < rates.repeat:
                    yield from _repeats(recent, delivery.at_us, rng, truth)
            self._number += 1
            if self._number - self._first > SETTLED and rng.random() < rates.restart:
                self._restart()
                time += rng.expovariate(1 / RESTART_US)

    def _deliver(self, segment: Encoded, time: float, truth: Truth) -> Delivery:
        truth.delivered += 1
        truth.levels[segment.level] = truth.levels.get(segment.level, 0) + 1
        sequence = self._number % packets.SEQUENCES
        model_id = packets.short_model_id(self._manifest)
        packet = packets.Packet(segment.level, model_id, 0, sequence, segment.payload)
        at_us = round(time + DELAY_US + self._rng.expovariate(1 / JITTER_US))
        message = Message(self._name, packets.encode(packet), str(at_us), self._session)
        return Delivery(at_us, message, self._run, self._number, is_repeat=False)

    def _restart(self) -> None:
        self._run, self._first, self._number = self._run + 1, 0, 0
        self._session = self._new_session()

    def _new_session(self) -> str:
        return f"{self._rng.getrandbits(64):016x}"


def _repeats(
    recent: Sequence[Delivery], at_us: int, rng: random.Random, truth: Truth
) -> Iterator[Delivery]:
    """Yield the last packets once more, as a connection that was lost brings them."""
    for delivery in list(recent)[-rng.randint(1, len(recent)) :]:
        truth.repeated += 1
        yield Delivery(at_us, delivery.message, delivery.run, delivery.number, is_repeat=True)


def _played(records: Sequence[Record], rng: random.Random) -> Iterator[Encoded]:
    """Yield segments for ever: recordings in random order, the first from its midst."""
    start = None
    while True:
        for record in rng.sample(records, len(records)):
            if start is None:
                start = rng.randrange(len(record))
                yield from record[start:]
            else:
                yield from record
