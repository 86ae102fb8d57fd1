"""What a board does with a network, for those who check and measure it.

A network alone gives its outputs; a codec on top of it gives packets. ``applications`` picks one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dynadeep.host_tools.link.device import Values
from dynadeep.host_tools.measure.references import Case

Codes = npt.NDArray[np.int8]
Whole = npt.NDArray[np.integer[Any]]

AROUND = 48
"""Steps before and behind the first difference that are kept to be drawn."""


@dataclass(frozen=True)
class Excerpt:
    """Values of one channel on both sides, from time step ``first`` on, to be drawn."""

    first: int
    board: tuple[int, ...]
    reference: tuple[int, ...]
    wrong: int  # values that differ in the whole tensor
    size: int  # values that it has


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be."""

    kind: str  # "constant", "tensor", "output", "packet", "level"
    layer: str
    name: str  # the array, the tensor, the output, the packet's field
    board: str
    reference: str
    segment: str = ""
    channel: int | None = None
    time: int | None = None
    around: Excerpt | None = None  # the first value that differs and its neighbours in time

    def __str__(self) -> str:
        """Say it in one line."""
        place = [f"layer {self.layer}", self.name]
        if self.segment:
            place.append(f"segment {self.segment}")
        if self.channel is not None:
            place.append(f"channel {self.channel}, time {self.time}")
        return f"{', '.join(place)}: board {self.board}, reference {self.reference}"


@dataclass(frozen=True)
class Compared:
    """What an application gave for one case, beside what it must be."""

    results: int
    differences: tuple[Difference, ...]
    kind: str = ""  # one of ``Application.kinds``, where there are any


def first_difference(
    kind: str, place: tuple[str, str, str], board: Whole, reference: Whole
) -> Difference | None:
    """Name the first value, in time, in which two tensors differ, if any.

    Args:
        kind: of the difference.
        place: the layer, the tensor and the segment.
        board: [time, channels].
        reference: the same.
    """
    layer, name, segment = place
    places = np.argwhere(board != reference)
    if not len(places):
        return None
    time, channel = (int(value) for value in places[0])
    start = max(0, time - AROUND)
    window = slice(start, time + AROUND + 1)
    return Difference(
        kind=kind,
        layer=layer,
        name=name,
        board=str(board[time, channel]),
        reference=str(reference[time, channel]),
        segment=segment,
        channel=channel,
        time=time,
        around=Excerpt(
            first=start,
            board=tuple(board[window, channel].tolist()),
            reference=tuple(reference[window, channel].tolist()),
            wrong=len(places),
            size=board.size,
        ),
    )


class Application(Protocol):
    """What runs on a greeted board."""

    @property
    def noun(self) -> str:
        """What it gives, in the plural."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of that which are counted apart."""
        ...

    @property
    def ways(self) -> int:
        """In how many ways ``ticks`` runs each input."""
        ...

    def begin(self, first: int = 0) -> None:
        """Have the board count on from ``first``, the number of the first case."""
        ...

    def compare(self, case: Case, index: int) -> Compared:
        """Run the case of number ``index`` and compare all that the board gives."""
        ...

    def ticks(self, inputs: Sequence[Values]) -> list[int]:
        """Return the board's ticks of every way to run each input."""
        ...

    def run(self, values: Values) -> int:
        """Run an input once, the way that costs least, and return the board's ticks."""
        ...

    def longest_call(self, values: Values) -> int:
        """Return the ticks of the longest call, where the input comes a step at a time."""
        ...
