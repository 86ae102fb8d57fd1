"""The calls of a layer's kernel in a run, and the tiles that the kernel cuts them into."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.layers import Layer
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.schedule import Schedule

Work = Mapping[str, float]
"""How often each part is done."""

INT8 = (-128, 127)
"""What a layer that clamps nothing is clamped to."""


@dataclass(frozen=True)
class Runs:
    """The calls of a layer's kernel in a run, by their first steps and their steps."""

    layer: Layer
    first: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]

    @property
    def calls(self) -> int:
        """How many."""
        return len(self.first)

    def in_rows(self, stride: int) -> "Runs":
        """Return the calls of a transposed convolution in its rows of ``stride`` steps."""
        return Runs(self.layer, self.first // stride, -(-self.steps // stride))

    def tiles(self, tile: int) -> "Tiles":
        """Return the calls cut into tiles, as kernels do."""
        counts = -(-self.steps // tile)
        begin = np.repeat(self.first, counts)
        number = np.arange(len(begin)) - np.repeat(np.cumsum(counts) - counts, counts)
        end = np.repeat(self.first + self.steps, counts)
        begin = begin + number * tile
        return Tiles(self.layer, tile, begin, np.minimum(end - begin, tile), end)


@dataclass(frozen=True)
class Tiles:
    """Pieces of calls: ``end`` is behind the last step of the call."""

    layer: Layer
    tile: int
    begin: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.begin)

    @cached_property
    def full(self) -> npt.NDArray[np.bool_]:
        """Which have all of their steps."""
        full: npt.NDArray[np.bool_] = self.steps == self.tile
        return full

    @cached_property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which read nothing but what is there, were they full."""
        window, length = self.layer.windows[0], self.layer.inputs[0].time
        low = (self.begin * window.stride - window.before) // window.up
        last = self.begin + self.tile - 1
        high = (last * window.stride - window.before) // window.up + window.kernel
        available = ((self.end - 1) * window.stride - window.before) // window.up + window.kernel
        inside: npt.NDArray[np.bool_] = (low >= 0) & (high <= np.minimum(available, length))
        return inside


def runs_of(plan: Plan, number: int) -> Runs:
    """Return the calls of a layer's kernel."""
    layer = plan.network.layers[number]
    time = layer.output.time
    if not isinstance(plan.memory, Schedule):
        return Runs(layer, np.array([0]), np.array([time]))
    stage = plan.memory.stages[number]
    first = min(stage.first, time)
    begins = np.array([0, *range(first, time, stage.tile)])
    ends = np.array([*begins[1:], time])
    return Runs(layer, begins, ends - begins)
