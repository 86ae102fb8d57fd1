"""The course of a segment through the streaming engine, by the rules of ``dd_stream.c``.

A stage computes a tile as soon as each of its inputs suffices, at most one in a round. The engine
takes no more of the input at a time than the first stage that waits for it needs, so that the
course is the same however it comes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.layers import Layer, Window

Moment = tuple[int, int]
"""Steps of the input that have come, and the round after the last of them."""

NEVER = 1 << 16
"""The first step that a reader needs which needs none any more: beyond any tensor's."""


@dataclass(frozen=True)
class Tile:
    """Some steps that come into a line at once."""

    moment: Moment
    end: int  # steps of the line's tensor that there are then
    needs: tuple[int, ...]  # of each of its inputs the first step that later tiles read


@dataclass(frozen=True)
class Reading:
    """One reader of a line: where it begins, and from when on it needs what."""

    begin: int
    needs: Sequence[tuple[Moment, int]]


@dataclass(frozen=True)
class Filling:
    """How full a line gets."""

    steps: int  # the most that it holds
    passes: bool  # whatever comes in a round is read and let go in that round
    moves: tuple[int, ...]  # the steps that move to its beginning, each time that some do


def arrivals(steps: int) -> list[Tile]:
    """Return the course of the input, which comes step by step."""
    return [Tile((count, 0), count, ()) for count in range(1, steps + 1)]


def best_course(
    layer: Layer, sources: Sequence[Sequence[Tile]], tile: int
) -> tuple[int, list[Tile]]:
    """Return the size of the first tile for which the input lines are shortest, and the course."""
    events = _merged(sources)
    candidates = [(first, _course(layer, events, tile, first)) for first in range(tile, 0, -1)]

    def line_bytes(candidate: tuple[int, list[Tile]]) -> int:
        """Return the bytes of the input lines, as if nobody else read them."""
        return sum(
            filling_of(source, [reading_of(layer, number, candidate[1])]).steps
            * layer.inputs[number].channels
            for number, source in enumerate(sources)
        )

    return min(candidates, key=line_bytes)


Event = tuple[Moment, tuple[tuple[int, int], ...]]
"""A moment, and which of a stage's inputs have how many steps then."""


def _merged(sources: Sequence[Sequence[Tile]]) -> list[Event]:
    """Return what comes to a stage when, of all its inputs together."""
    if len(sources) == 1:
        return [(tile.moment, ((0, tile.end),)) for tile in sources[0]]
    events = sorted(
        (tile.moment, number, tile.end) for number, source in enumerate(sources) for tile in source
    )
    return [
        (moment, tuple((number, end) for _, number, end in together))
        for moment, together in groupby(events, key=itemgetter(0))
    ]


def _course(layer: Layer, events: Sequence[Event], tile: int, first: int) -> list[Tile]:
    """Return the tiles of a layer, given those of its inputs: ``run`` of dd_stream.c."""
    inputs = tuple(zip(layer.inputs, layer.windows, strict=True))
    course: list[Tile] = []
    arrived = [0] * len(inputs)
    computed = 0
    steps = min(first, layer.output.time)
    required = _required(inputs, steps - 1)
    for moment, updates in events:
        for number, end in updates:
            arrived[number] = end
        while steps and all(
            available >= awaited for available, awaited in zip(arrived, required, strict=True)
        ):
            at = max(moment, _next_round(course[-1].moment)) if course else moment
            computed += steps
            steps = min(tile, layer.output.time - computed)
            course.append(Tile(at, computed, _needs(inputs, computed, over=steps == 0)))
            required = _required(inputs, computed + steps - 1)
    return course


def _next_round(moment: Moment) -> Moment:
    return moment[0], moment[1] + 1


def _required(inputs: Sequence[tuple[Tensor, Window]], last: int) -> list[int]:
    """Return the steps of each input that output step ``last`` awaits: ``set_due``."""
    return [
        min(max(window.end(last), 1 if number == 0 else 0), tensor.time)
        for number, (tensor, window) in enumerate(inputs)
    ]


def _needs(
    inputs: Sequence[tuple[Tensor, Window]], computed: int, *, over: bool
) -> tuple[int, ...]:
    return tuple(NEVER if over else max(window.begin(computed), 0) for _, window in inputs)


def reading_of(layer: Layer, number: int, course: Sequence[Tile]) -> Reading:
    """Return what a layer reads of its input ``number``."""
    begin = max(layer.windows[number].begin(0), 0)
    return Reading(begin, [(tile.moment, tile.needs[number]) for tile in course])


def filling_of(source: Sequence[Tile], readings: Sequence[Reading], hold: int = 1) -> Filling:
    """Follow a line from step to step: ``run_stage`` and ``drop_read``.

    Args:
        source: what comes.
        readings: what its readers need.
        hold: steps that are let go at once, where others must move for it.
    """
    needed = [reading.begin for reading in readings]
    begin = min(needed, default=0)
    end = longest = 0
    passes = bool(readings)
    moves = []
    for _, events in groupby(_events(source, readings), key=itemgetter(0)):
        for _, reader, step in events:
            if reader < 0:
                passes = passes and begin >= end
                first = min(begin, end)  # what lies at the line's beginning
                longest = max(longest, step - first)
                end = step
                if begin <= first:
                    continue
            else:
                first = begin
                needed[reader] = step
            begin = _dropped(first, min(needed), end, hold)
            if first < begin < end:
                moves.append(end - begin)
        passes = passes and begin >= end
    return Filling(longest, passes, tuple(moves))


def _dropped(begin: int, keep: int, end: int, hold: int) -> int:
    """Return the first step of a line once those before ``keep`` may go."""
    return keep if keep >= begin + (hold if keep < end else 1) else begin


def _events(
    source: Sequence[Tile], readings: Sequence[Reading]
) -> Iterator[tuple[Moment, int, int]]:
    """Yield what comes (reader -1) and what is needed from then on, in order."""
    events = [(tile.moment, -1, tile.end) for tile in source]
    events += [
        (moment, i, step) for i, reading in enumerate(readings) for moment, step in reading.needs
    ]
    yield from sorted(events)
