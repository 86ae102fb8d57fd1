"""The course of a segment through the streaming engine, by the rules of ``dd_stream.c``.

A stage computes a tile as soon as its input suffices, at most one in a round, and after the last
step of its input whatever is left, tile by tile. The engine takes no more samples at a time than
the first stage that waits for them needs, so that the course is the same however they come.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dynadeep.codegen.layers import Layer

Moment = tuple[int, int]
"""Steps of the input that have come, and the round after the last of them."""


@dataclass(frozen=True)
class Tile:
    """Some steps that come into a line at once."""

    moment: Moment
    end: int  # steps of the line's tensor that there are then
    next: int  # the first step of its input that later tiles read


@dataclass(frozen=True)
class Filling:
    """How full a line gets."""

    steps: int  # the most that it holds
    passes: bool  # it has one reader, which takes all that comes in the round in which it comes


def arrivals(steps: int) -> list[Tile]:
    """Return the course of the input, which comes step by step."""
    return [Tile((count, 0), count, 0) for count in range(1, steps + 1)]


def best_course(layer: Layer, source: Sequence[Tile], tile: int) -> tuple[int, list[Tile]]:
    """Return the size of the first tile for which the input line is shortest, and the course."""
    tried = [(first, _course(layer, source, tile, first)) for first in range(tile, 0, -1)]
    return min(tried, key=lambda pair: filling(source, [pair[1]]).steps)


def _course(layer: Layer, source: Sequence[Tile], tile: int, first: int) -> list[Tile]:
    """Return the tiles of a layer, given those of its input; ``dd_stream_run`` for one stage."""
    course: list[Tile] = []
    done = 0
    for arrival in source:
        complete = arrival.end == layer.inputs[0].time
        moment = arrival.moment
        if course and course[-1].moment >= moment:
            moment = _next_round(course[-1].moment)
        while steps := _ready(layer, arrival.end, done, tile, first, complete=complete):
            done += steps
            course.append(Tile(moment, done, max(layer.windows[0].begin(done), 0)))
            moment = _next_round(moment)
    return course


def _next_round(moment: Moment) -> Moment:
    return moment[0], moment[1] + 1


def _ready(layer: Layer, got: int, done: int, tile: int, first: int, *, complete: bool) -> int:
    """Return how many steps are computed now: ``due_of`` and ``run_stage`` of dd_stream.c."""
    if complete:
        return min(layer.output.time - done, tile)
    end = done + (first if done == 0 else tile)
    return end - done if layer.windows[0].end(end - 1) <= got and end <= layer.output.time else 0


def filling(source: Sequence[Tile], readers: Sequence[Sequence[Tile]]) -> Filling:
    """Follow a line from step to step: what its readers no longer need goes, if it has come."""
    events = [(tile.moment, -1, tile.end) for tile in source]
    events += [(tile.moment, i, tile.next) for i, course in enumerate(readers) for tile in course]
    needed = [0] * len(readers)
    begin = end = longest = 0
    passes = len(readers) == 1
    for _, reader, step in sorted(events):
        if reader < 0:
            passes = passes and begin == end
            end = step
            longest = max(longest, end - begin)
        else:
            needed[reader] = step
            begin = max(begin, min(end, *needed))
    together = passes and [tile.moment for tile in source] == [tile.moment for tile in readers[0]]
    return Filling(longest, together)
