"""The plan of the streaming engine: which layer runs when, and where its lines lie.

``dd_stream.c`` decides by counting steps alone, so that a segment's whole course can be worked out
here, by the same rules (``course``): the lines get the room that it needs, and no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dynadeep.codegen.alignment import aligned
from dynadeep.codegen.course import (
    Filling,
    Tile,
    arrivals,
    best_course,
    filling_of,
    reading_of,
)
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.layers import Layer, Network
from dynadeep.codegen.running import State
from dynadeep.codegen.wiring import Source, sources_of

TILE_LIMIT = (1 << 8) - 1  # uint8 in dd_stage

STEPS_PER_HOLD, HOLD_LIMIT = 16, (1 << 8) - 1  # uint8 in dd_line_plan
"""A line takes a sixteenth more, so that each of its steps moves sixteen times on its way."""

TILES_SAVED_PER_BYTE = 6.0
"""From how many on a layer computes two tiles at a time: the engine's work around tiles of a narrow
layer is worth more than the RAM that wider lines take."""

SMALL_TILE, SMALL_TILES_SAVED_PER_BYTE = 2, 0.3
"""The same for tiles that are so small that the work around them counts."""

DEPTHWISE = "dd_depthwise_s8"
"""The function of layers whose kernel has a tile of its own."""


def held_bytes(tensor: Tensor, steps: int) -> int:
    """Return the bytes of some steps of a tensor; a state has all of its bytes from the first."""
    return tensor.size if isinstance(tensor, State) else steps * tensor.channels


@dataclass(frozen=True)
class Line:
    """The steps of a tensor that are kept between the layer that makes them and its readers."""

    tensor: Tensor
    offset: int  # in bytes from the first value
    steps: int  # the most that it holds
    readers: tuple[int, ...]  # the numbers of the sources that read it, in order
    hold: (
        int  # steps that it lets go at once, if others must move for it; 0: the whole tensor stays
    )
    life: tuple[int, int] | None
    """The stages, from the one that fills it to the last that reads it, between which alone it
    holds values; None: always."""
    moves: tuple[int, ...]  # the steps that move to its beginning, each time in a run that some do

    @property
    def kept(self) -> bool:
        """Whether the whole tensor stays."""
        return self.hold == 0

    @property
    def size(self) -> int:
        """Its bytes."""
        return held_bytes(self.tensor, self.steps)


@dataclass(frozen=True)
class Stage:
    """A layer in the stream; its output is line ``number + 1`` of the schedule."""

    layer: Layer
    sources: tuple[Source, ...]
    tile: int  # steps that it computes at a time
    first: int  # and at first


@dataclass(frozen=True)
class Schedule:
    """Everything that the streaming engine is told."""

    tile: int  # of all but narrow layers
    stages: tuple[Stage, ...]
    lines: tuple[Line, ...]  # the input's, then each stage's output
    worst_macs: int  # of what one sample can set going
    pieces: int  # that the input is taken in, each as much as a stage that reads it awaits

    @property
    def size(self) -> int:
        """Bytes of all lines."""
        return max(line.offset + line.size for line in self.lines)

    @property
    def places(self) -> dict[str, tuple[int, int]]:
        """Each line's offset and bytes, by its tensor's name."""
        return {line.tensor.name: (line.offset, line.size) for line in self.lines}


def plan_schedule(network: Network, tile: int, depthwise: int = 0) -> Schedule:
    """Work out the course of a segment with tiles of ``tile`` steps.

    Depthwise layers have tiles of ``depthwise`` steps, unless it is 0.

    Raises:
        ModelError: the engine does not count as far as the network or a tile goes.
    """
    _check_tile(tile)
    wired = sources_of(network)
    courses = [arrivals(network.input.time)]
    stages: list[Stage] = []
    for layer, sources in zip(network.layers, wired, strict=True):
        own = depthwise if layer.FUNCTION == DEPTHWISE else 0
        steps = _tile_of(layer, own or tile)
        first, course = best_course(layer, [courses[source.line] for source in sources], steps)
        stages.append(Stage(layer, sources, steps, first))
        courses.append(course)
    lines = _lines(network, stages, courses)
    worst = _worst_macs(network.layers, courses[1:])
    return Schedule(tile, tuple(stages), lines, worst, _pieces(stages, courses))


def _tile_of(layer: Layer, tile: int) -> int:
    """Return the steps that a layer computes at a time: twice ``tile`` where that pays.

    Where it does for a small one, twice as much again may pay.
    """
    if not _pays(layer, tile):
        return tile
    return _tile_of(layer, 2 * tile) if tile <= SMALL_TILE else 2 * tile


def _pays(layer: Layer, tile: int) -> bool:
    """Return whether twice ``tile`` saves enough of the engine's work for the RAM it takes."""
    read = sum(
        tensor.channels * window.stride / window.up
        for tensor, window in zip(layer.inputs, layer.windows, strict=True)
    )
    more_bytes = tile * (layer.output.channels + read)
    saved = layer.output.time / (2 * tile)
    threshold = TILES_SAVED_PER_BYTE if tile > SMALL_TILE else SMALL_TILES_SAVED_PER_BYTE
    return saved >= threshold * more_bytes and 2 * tile <= TILE_LIMIT


def _check_tile(tile: int) -> None:
    if not 1 <= tile <= TILE_LIMIT:
        raise ModelError(
            f"a tile of {tile} steps was asked for; the streaming engine takes 1 to {TILE_LIMIT}. "
            "Choose another one."
        )


def _lines(
    network: Network, stages: Sequence[Stage], courses: Sequence[Sequence[Tile]]
) -> tuple[Line, ...]:
    """Give each line its size and its place."""
    outputs = {tensor.name for tensor in network.outputs}
    wholes = [line > 0 and tensor.name in outputs for line, tensor in enumerate(network.tensors)]
    readers = _readers(stages, len(courses))
    readings = [
        [
            reading_of(stages[stage].layer, number, courses[stage + 1])
            for stage, number, _ in line_readers
        ]
        for line_readers in readers
    ]
    fillings = [filling_of(course, needs) for course, needs in zip(courses, readings, strict=True)]
    holds = [0 if whole else _hold(filled) for filled, whole in zip(fillings, wholes, strict=True)]
    for line, hold in enumerate(holds):
        if hold > 1:
            fillings[line] = filling_of(courses[line], readings[line], hold)
    steps = [
        tensor.time if whole else filled.steps
        for tensor, filled, whole in zip(network.tensors, fillings, wholes, strict=True)
    ]
    sizes = [
        held_bytes(tensor, count) for tensor, count in zip(network.tensors, steps, strict=True)
    ]
    lives = [
        (line - 1, readers[line][-1][0]) if _is_passing(line, filled, whole=wholes[line]) else None
        for line, filled in enumerate(fillings)
    ]
    numbers = [tuple(number for _, _, number in line_readers) for line_readers in readers]
    moves = [() if whole else filled.moves for filled, whole in zip(fillings, wholes, strict=True)]
    places = _place(sizes, lives)
    return tuple(map(Line, network.tensors, places, steps, numbers, holds, lives, moves))


def _hold(filled: Filling) -> int:
    """Return the steps that a line lets go at once: more of a long one, which it costs to move."""
    return max(1, min(filled.steps // STEPS_PER_HOLD, HOLD_LIMIT))


def _is_passing(line: int, filled: Filling, *, whole: bool) -> bool:
    return line > 0 and not whole and filled.passes


def _readers(stages: Sequence[Stage], lines: int) -> list[list[tuple[int, int, int]]]:
    """Return who reads each line: the stage, which of its inputs, and the source's number."""
    readers: list[list[tuple[int, int, int]]] = [[] for _ in range(lines)]
    count = 0
    for index, stage in enumerate(stages):
        for number, source in enumerate(stage.sources):
            readers[source.line].append((index, number, count))
            count += 1
    return readers


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
            at = aligned(at + size)
    placed: list[tuple[tuple[int, int], int, int]] = []
    for line, life in enumerate(passing):
        if life is not None:
            occupied = [(low, high) for other_life, low, high in placed if _meet(life, other_life)]
            offsets[line] = _gap(occupied, sizes[line], at)
            placed.append((life, offsets[line], aligned(offsets[line] + sizes[line])))
    return offsets


def _meet(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return first[0] <= second[1] and second[0] <= first[1]


def _gap(occupied: Sequence[tuple[int, int]], size: int, at: int) -> int:
    """Return the first offset from ``at`` on where ``size`` bytes are free."""
    for low, high in sorted(occupied):
        if at + size <= low:
            break
        at = max(at, high)
    return at


def _pieces(stages: Sequence[Stage], courses: Sequence[Sequence[Tile]]) -> int:
    """Return how many pieces the engine takes the input in: ``room`` of dd_stream.c."""
    ends = {
        tile.moment[0]
        for stage, course in zip(stages, courses[1:], strict=True)
        if any(source.line == 0 for source in stage.sources)
        for tile in course
    }
    return len({*ends, len(courses[0])})


def _worst_macs(layers: Sequence[Layer], courses: Sequence[Sequence[Tile]]) -> int:
    """Return the most multiply-accumulates that one step of the input sets going."""
    by_sample: dict[int, int] = {}
    for layer, course in zip(layers, courses, strict=True):
        begin = 0
        for tile in course:
            macs = (tile.end - begin) * layer.macs // layer.output.time
            by_sample[tile.moment[0]] = by_sample.get(tile.moment[0], 0) + macs
            begin = tile.end
    return max(by_sample.values())
