"""Where the streaming engine's lines lie: followed step by step through a whole segment."""

from collections.abc import Generator, Iterator
from itertools import pairwise

import pytest

from dynadeep.codegen import schedule as planning
from dynadeep.codegen.layers import Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.schedule import Schedule, plan_schedule
from dynadeep.codegen.tflite import read_graph

from .models import Net, branch, paper_encoder, small_encoder


def chained_encoder() -> Net:
    """Layers of one tap behind each other: each takes at once all that the one before it makes."""
    net = Net(40)
    net.layer("conv1", 3, 3, 1, (1, 1))
    for number in range(2, 6):
        net.layer(f"conv{number}", 8 - number, 1, 1, (0, 0))
    trunk = net.at
    latents, errors = zip(*(branch(net, level, trunk) for level in ("32", "64")), strict=True)
    net.model.outputs = [*latents, *errors]
    return net


NETS = {"paper": paper_encoder, "small": small_encoder, "chained": chained_encoder}


def network_of(name: str) -> Network:
    return lower(read_graph(NETS[name]().model.build()))


class Course:
    """A segment's course by the rules of dd_stream.c: how far each line is filled and read."""

    def __init__(self, network: Network, schedule: Schedule) -> None:
        self._schedule = schedule
        self._tensors = [line.tensor for line in schedule.lines]
        outputs = {tensor.name for tensor in network.outputs}
        self._stays = [tensor.name in outputs for tensor in self._tensors]
        self._end = [0] * len(self._tensors)

    def moments(self) -> Iterator[set[int]]:
        """Yield the lines that hold values, each time that a layer has computed a tile."""
        for _ in range(self._tensors[0].time):
            self._end[0] += 1
            yield self._holding()
            working = True
            while working:
                working = False
                for stage in range(len(self._schedule.stages)):
                    working |= yield from self._stage(stage)

    def is_complete(self) -> bool:
        return self._end == [tensor.time for tensor in self._tensors]

    def _stage(self, number: int) -> Generator[set[int], None, bool]:
        steps = self._ready(number)
        if steps:
            read = {source.line for source in self._schedule.stages[number].sources}
            self._end[number + 1] += steps
            yield self._holding() | read | {number + 1}
            yield self._holding()
        return steps > 0

    def _ready(self, number: int) -> int:
        stage = self._schedule.stages[number]
        end = self._end[number + 1]
        left = self._tensors[number + 1].time - end
        steps = min(left, stage.first if end == 0 else stage.tile)
        for index, source in enumerate(stage.sources):
            needed = max(source.window.end(end + steps - 1), 1 if index == 0 else 0)
            if self._end[source.line] < min(needed, self._tensors[source.line].time):
                return 0
        return steps

    def _holding(self) -> set[int]:
        return {line for line in range(len(self._end)) if self._end[line] > self._oldest(line)}

    def _oldest(self, line: int) -> int:
        if self._stays[line]:
            return 0
        return min(
            source.window.begin(self._end[number])
            if self._end[number] < self._tensors[number].time
            else self._tensors[line].time
            for number, stage in enumerate(self._schedule.stages, start=1)
            for source in stage.sources
            if source.line == line
        )


def overlaps(network: Network, schedule: Schedule) -> set[tuple[str, str]]:
    """Return the lines that hold values at the same time in the same bytes."""
    spans = [(line.offset, line.offset + line.size) for line in schedule.lines]
    pairs = set()
    course = Course(network, schedule)
    for live in course.moments():
        ordered = sorted(live, key=lambda line: spans[line])
        for first, second in pairwise(ordered):
            if spans[second][0] < spans[first][1]:
                lines = schedule.lines
                pairs.add((lines[first].tensor.name, lines[second].tensor.name))
    assert course.is_complete()
    return pairs


@pytest.mark.parametrize("tile", [1, 4])
@pytest.mark.parametrize("name", NETS)
def test_two_lines_that_hold_values_at_the_same_time_lie_apart(name: str, tile: int) -> None:
    network = network_of(name)
    assert overlaps(network, plan_schedule(network, tile)) == set()


def test_some_lines_do_lie_over_each_other() -> None:
    """Otherwise the test above would hold for any plan that places one behind the other."""
    schedule = plan_schedule(network_of("chained"), 4)
    assert schedule.size < sum(line.size for line in schedule.lines)


def test_lines_that_were_placed_without_a_look_at_their_lives_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "_meet", lambda *_: False)
    network = network_of("chained")
    assert overlaps(network, plan_schedule(network, 4)) != set()
