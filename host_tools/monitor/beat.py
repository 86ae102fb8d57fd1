"""What a monitor shows of each input that went through a board; the screen knows nothing else."""

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dynadeep.host_tools.link.device import Counter, Device

Values = npt.NDArray[np.float64]
Facts = tuple[tuple[str, str], ...]
"""Names and what they are, as they are shown."""

KEPT = 400
"""Latencies that are drawn; the widest terminal shows no more."""


@dataclass(frozen=True)
class Curve:
    """A line over time, float [T]; NaN is not drawn."""

    label: str
    values: Values


@dataclass(frozen=True)
class Bar:
    """One bar of a group."""

    label: str
    share: float  # of the longest there could be, 0 to 1
    text: str


@dataclass(frozen=True)
class Beat:
    """One input: what it was, what came of it, and what all came to so far."""

    title: str
    curves: tuple[Curve, ...]
    bars: tuple[Bar, ...]
    facts: Facts
    ticks: int  # of the feed's counter


class Feed(Protocol):
    """Gives a board one input after the other, or hears what it sends by itself."""

    bars_title: str
    facts_title: str
    latency_title: str
    listens: bool  # to what comes anyway, so that it must not stop

    @property
    def counter(self) -> Counter:
        """What a beat's ticks are."""
        ...

    @property
    def input_s(self) -> float:
        """How long an input's samples take to come; 0 where they have no rate."""
        ...

    def step(self) -> Beat | None:
        """Run the next input; None if nothing came of it yet."""
        ...

    def scale_bound(self, factor: float) -> bool:
        """Have the next inputs run with another bound; False where there is none."""
        ...

    def totals(self) -> dict[str, object]:
        """Return what all inputs came to, as plain data."""
        ...

    def link_facts(self) -> Facts:
        """Return how the link fares."""
        ...

    def traffic(self) -> dict[str, object]:
        """Return the same as plain data."""
        ...


class BoardFeed:
    """The part of a feed that hangs on a board which is asked for everything."""

    latency_title = "Latency"
    listens = False

    def __init__(self, device: Device) -> None:
        self._device = device

    @property
    def counter(self) -> Counter:
        """The board's own."""
        return self._device.counter

    def link_facts(self) -> Facts:
        """Return how the link fares."""
        traffic = self._device.traffic
        return (
            ("requests", f"{traffic.requests:,}"),
            ("lost tries", f"{traffic.retries:,}"),
            ("damaged frames", f"{traffic.damaged_frames:,}"),
            ("strange frames", f"{traffic.strange_frames:,}"),
            ("board restarts", f"{traffic.restarts:,}"),
        )

    def traffic(self) -> dict[str, object]:
        """Return the same as plain data."""
        return dict(vars(self._device.traffic))


@dataclass
class Latencies:
    """How long the inputs took."""

    counter: Counter
    ticks: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))
    count: int = 0
    most: int = 0
    total: int = 0

    def add(self, ticks: int) -> None:
        """Take one input's."""
        self.ticks.append(ticks)
        self.count += 1
        self.most = max(self.most, ticks)
        self.total += ticks

    def text(self, ticks: float) -> str:
        """Say a latency in the counter's own unit, and in time where time is real."""
        count = round(ticks * self.counter.per_tick)
        words = f"{count:,} {self.counter.unit}"
        if self.counter.unit == "instructions":
            return words
        time = f"{ticks / self.counter.rate_hz * 1e3:,.2f} ms"
        return time if self.counter.unit == "nanoseconds" else f"{time} ({words})"

    def facts(self) -> Facts:
        """Return the last, the mean and the longest."""
        if not self.count:
            return ()
        return (
            ("last", self.text(self.ticks[-1])),
            ("mean", self.text(self.total / self.count)),
            ("most", self.text(self.most)),
        )
