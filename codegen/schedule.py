"""The plan of the streaming engine: which layer runs when, and how long each line must be.

``dd_stream.c`` decides by counting steps alone, so that a segment's whole course can be worked out
here, by the same rules: a stage computes a tile as soon as its input suffices, at most one in a
round, and after the segment's last sample whatever is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.layers import Conv1d, Network

STEP_LIMIT = (1 << 16) - 2  # uint16 in dd_line, the last of which means never
STAGE_LIMIT = 254  # uint8 in dd_stage


@dataclass(frozen=True)
class Line:
    """The steps of a tensor that are kept between the layer that makes them and its readers."""

    tensor: Tensor
    offset: int  # in bytes from the first line
    steps: int  # the most that it holds

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.steps * self.tensor.channels


@dataclass(frozen=True)
class Stage:
    """A layer in the stream; its output is line ``number + 1`` of the schedule."""

    layer: Conv1d
    source: int  # the line that it reads
    sibling: int  # the next stage that reads the same line, in a ring
    reach: int  # the last stage that reads its output; itself if none does
    first: int  # steps of its first tile
    kept: bool  # the whole output stays


@dataclass(frozen=True)
class Schedule:
    """Everything that the streaming engine is told."""

    tile: int
    stages: tuple[Stage, ...]
    lines: tuple[Line, ...]  # the input's, then each stage's output
    reach: int  # the last stage that reads the input
    worst_macs: int  # of what one sample can set going

    @property
    def size(self) -> int:
        """Bytes of all lines."""
        return max(line.offset + line.size for line in self.lines)

    @property
    def places(self) -> dict[str, tuple[int, int]]:
        """Each line's offset and bytes, by its tensor's name."""
        return {line.tensor.name: (line.offset, line.size) for line in self.lines}


@dataclass(frozen=True)
class _Tile:
    """Some steps that a stage computes: when, and what it needs from then on."""

    moment: tuple[int, int]  # samples that have come, and the round after the last of them
    end: int  # output steps that there are then
    keep: int  # the first input step that later tiles read


def plan_schedule(network: Network, tile: int) -> Schedule:
    """Work out the course of a segment with tiles of ``tile`` steps.

    Raises:
        ModelError: there are more layers or longer tensors than the engine counts.
    """
    _check_limits(network)
    names = [network.input.name, *(layer.output.name for layer in network.layers)]
    sources = [names.index(layer.input.name) for layer in network.layers]
    arrivals = [[_Tile((count, 0), count, 0) for count in range(1, network.input.time + 1)]]
    firsts, courses = [], []
    for layer, source in zip(network.layers, sources, strict=True):
        first, course = _best_first(layer, arrivals[source], tile)
        firsts.append(first)
        courses.append(course)
        arrivals.append(course)
    wanted = {tensor.name for tensor in network.outputs}
    kept = [layer.output.name in wanted for layer in network.layers]
    tensors = [network.input, *(layer.output for layer in network.layers)]
    readers = [
        [s for s, source in enumerate(sources) if source == line] for line in range(len(tensors))
    ]
    steps = [
        tensor.time
        if line > 0 and kept[line - 1]
        else _longest(arrivals[line], [courses[reader] for reader in readers[line]])
        for line, tensor in enumerate(tensors)
    ]
    sizes = [tensor.channels * count for tensor, count in zip(tensors, steps, strict=True)]
    lives = [
        (line - 1, ring[0])
        if line > 0 and not kept[line - 1] and _passes(arrivals[line], [courses[r] for r in ring])
        else None
        for line, ring in enumerate(readers)
    ]
    offsets = _place(sizes, lives)
    stages = tuple(
        Stage(
            layer,
            source=sources[i],
            sibling=_next(readers[sources[i]], i),
            reach=max(readers[i + 1], default=i),
            first=firsts[i],
            kept=kept[i],
        )
        for i, layer in enumerate(network.layers)
    )
    lines = tuple(Line(*row) for row in zip(tensors, offsets, steps, strict=True))
    return Schedule(tile, stages, lines, max(readers[0]), _worst_macs(network.layers, courses))


def _check_limits(network: Network) -> None:
    longest = max(
        [network.input, *(layer.output for layer in network.layers)], key=lambda t: t.time
    )
    if longest.time > STEP_LIMIT or len(network.layers) > STAGE_LIMIT:
        raise ModelError(
            f"encoder.tflite: {longest.name} has {longest.time} steps and there are "
            f"{len(network.layers)} layers; the streaming engine counts to {STEP_LIMIT} and "
            f"{STAGE_LIMIT}. Use a shorter segment, or the layers engine."
        )


def _next(ring: Sequence[int], one: int) -> int:
    return ring[(ring.index(one) + 1) % len(ring)]


def _best_first(layer: Conv1d, arrivals: Sequence[_Tile], tile: int) -> tuple[int, list[_Tile]]:
    """Return the size of the first tile for which the input line is shortest, and the course."""
    tried = [(first, _course(layer, arrivals, tile, first)) for first in range(tile, 0, -1)]
    return min(tried, key=lambda one: _longest(arrivals, [one[1]]))


def _course(layer: Conv1d, arrivals: Sequence[_Tile], tile: int, first: int) -> list[_Tile]:
    """Return the tiles of a layer, given those of its input; ``dd_stream_run`` for one stage."""
    course: list[_Tile] = []
    done = 0
    for arrival in arrivals:
        complete = arrival.end == layer.input.time
        moment = arrival.moment
        if course and course[-1].moment >= moment:
            moment = (course[-1].moment[0], course[-1].moment[1] + 1)
        while steps := _ready(layer, arrival.end, done, tile, first, complete=complete):
            done += steps
            keep = max(done * layer.stride - layer.pad_before, 0)
            course.append(_Tile(moment, done, keep))
            moment = (moment[0], moment[1] + 1)
    return course


def _ready(layer: Conv1d, got: int, done: int, tile: int, first: int, *, complete: bool) -> int:
    """Return how many steps are computed now: ``steps_ready`` of dd_stream.c."""
    if complete:
        return min(layer.output.time - done, tile)
    wanted = first if done == 0 else tile
    needed = (done + wanted - 1) * layer.stride - layer.pad_before + layer.kernel
    return wanted if needed <= got and done + wanted <= layer.output.time else 0


def _longest(arrivals: Sequence[_Tile], courses: Sequence[Sequence[_Tile]]) -> int:
    """Return the most steps that a line holds at a time, all its readers considered."""
    events = [(one.moment, 0, one.end, 0) for one in arrivals]
    for reader, course in enumerate(courses):
        events += [(one.moment, 1, one.keep, reader) for one in course]
    keeps = [0] * len(courses)
    end = longest = 0
    for _, kind, steps, reader in sorted(events):
        if kind == 0:
            end = steps
            longest = max(longest, end - min([end, *keeps]))
        else:
            keeps[reader] = steps
    return longest


def _place(sizes: Sequence[int], passing: Sequence[tuple[int, int] | None]) -> list[int]:
    """Return each line's offset.

    Lines that are empty between rounds (``passing``: from which stage to which they are not) lie
    behind the others, over each other where no two hold values at the same stage.
    """
    offsets = [0] * len(sizes)
    at = 0
    for line, size in enumerate(sizes):
        if passing[line] is None:
            offsets[line] = at
            at += size
    placed: list[tuple[tuple[int, int], int, int]] = []
    for line, life in enumerate(passing):
        if life is not None:
            taken = [(low, high) for other, low, high in placed if _meet(life, other)]
            offsets[line] = _gap(taken, sizes[line], at)
            placed.append((life, offsets[line], offsets[line] + sizes[line]))
    return offsets


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _gap(taken: Sequence[tuple[int, int]], size: int, at: int) -> int:
    """Return the first offset from ``at`` on where ``size`` bytes are free."""
    for low, high in sorted(taken):
        if at + size <= low:
            break
        at = max(at, high)
    return at


def _passes(arrivals: Sequence[_Tile], courses: Sequence[Sequence[_Tile]]) -> bool:
    """Return whether a line has one reader, which at once takes all that comes."""
    return len(courses) == 1 and [(one.moment, one.end) for one in arrivals] == [
        (one.moment, one.keep) for one in courses[0]
    ]


def _worst_macs(layers: Sequence[Conv1d], courses: Sequence[Sequence[_Tile]]) -> int:
    """Return the most multiply-accumulates that one sample sets going."""
    by_sample: dict[int, int] = {}
    for layer, course in zip(layers, courses, strict=True):
        done = 0
        for one in course:
            macs = (one.end - done) * int(layer.weights.size)
            by_sample[one.moment[0]] = by_sample.get(one.moment[0], 0) + macs
            done = one.end
    return max(by_sample.values())
