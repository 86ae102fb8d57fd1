"""When a stream's segments began, from nothing but when their packets arrived and their count.

A packet arrives as its segment ends, and a delay later that differs from one to the next: never
earlier. What a packet's arrival says of the stream's begin, ``arrival - (index + 1) * period``, is
thus late by its delay, and drifts as the device's crystal does against the gateway's clock. The
line under the lowest of these values is the begin as the least delayed packets say it.
"""

from dataclasses import dataclass, field

BLOCK = 32
"""Segments of which the least delayed counts."""
BLOCKS = 64
"""That count together: 3.8 hours at 300 Hz."""
BLOCKS_FOR_RATE = 4
"""Below it no drift can be told from delays."""
RATE_MAX = 5e-4
"""Of drift: a crystal's is below 1e-4."""


@dataclass
class Clock:
    """A stream's begin as a line over its segments' index; all times in microseconds, Unix."""

    period_us: float  # of a segment, by the model
    least: list[tuple[int, float]] = field(default_factory=list)  # of each block: index, begin
    begin_us: float = 0.0  # the line at ``at``
    slope_us: float = 0.0  # a segment
    at: int = 0

    def take(self, index: int, arrival_us: int) -> None:
        """Learn from a packet that arrived, not from one that came late."""
        begin = arrival_us - (index + 1) * self.period_us
        if not self.least:
            self.begin_us, self.at, self.least = begin, index, [(index, begin)]
            return
        if index // BLOCK != self.least[-1][0] // BLOCK:
            self._close(index)
            self.least.append((index, begin))
        elif begin < self.least[-1][1]:
            self.least[-1] = (index, begin)
        excess = begin - self._line(index)
        if excess < 0:
            self.begin_us += excess

    def time_us(self, index: int) -> int:
        """Return when a segment began."""
        return round(self._line(index) + index * self.period_us)

    def index_at(self, arrival_us: int) -> float:
        """Return the index of the segment whose packet is due at a time."""
        step = self.period_us + self.slope_us
        return (arrival_us - self.begin_us + self.slope_us * self.at - self.period_us) / step

    def drift(self) -> float:
        """Return how fast or slow the device's crystal seems to be, the share of a segment."""
        return abs(self.slope_us) / self.period_us

    def _line(self, index: int) -> float:
        return self.begin_us + self.slope_us * (index - self.at)

    def _close(self, index: int) -> None:
        """Draw the line anew at the end of a block, under all blocks that still count."""
        self.least = [point for point in self.least if point[0] > index - BLOCK * BLOCKS] or [
            self.least[-1]
        ]
        if len(self.least) < BLOCKS_FOR_RATE:
            return
        (first, low), (last, high) = _edge(self.least)
        limit = RATE_MAX * self.period_us
        self.slope_us = min(max((high - low) / (last - first), -limit), limit)
        self.at = index
        self.begin_us = min(begin + self.slope_us * (index - at) for at, begin in self.least)


def _edge(points: list[tuple[int, float]]) -> tuple[tuple[int, float], tuple[int, float]]:
    """Return the edge of the lower hull of points under their mean index.

    Of all lines that no point lies below it is the one to which they come nearest together.
    """
    hull: list[tuple[int, float]] = []
    for point in points:
        while len(hull) > 1 and not _is_below(hull[-1], hull[-2], point):
            hull.pop()
        hull.append(point)
    mean = sum(index for index, _ in points) / len(points)
    right = next(i for i, (index, _) in enumerate(hull) if index >= mean and i > 0)
    return hull[right - 1], hull[right]


def _is_below(point: tuple[int, float], left: tuple[int, float], right: tuple[int, float]) -> bool:
    """Whether a point lies below the line between two others."""
    share = (point[0] - left[0]) / (right[0] - left[0])
    return point[1] < left[1] + share * (right[1] - left[1])
