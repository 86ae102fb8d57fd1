"""Operators that change shapes alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.graphs.canvas import OPS, Canvas, Shape
from tests.graphs.draws.draw import Draw, divisor


@dataclass(frozen=True)
class Reshape:
    """RESHAPE to other steps and channels, or to one dimension."""

    channels: int  # which of the possible numbers; 0: one dimension

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        size = math.prod(canvas.shape(at))
        if self.channels == 0:
            return [canvas.reshaped(at, (1, size))]
        channels = divisor(size, self.channels - 1)
        return [canvas.reshaped(at, canvas.whole_shape(size // channels, channels))]


@dataclass(frozen=True)
class Squeeze:
    """SQUEEZE of a dimension of 1 between the batch and the channels, the time among them."""

    number: int

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        shape = canvas.shape(at)
        axes = [axis for axis in range(1, len(shape) - 1) if shape[axis] == 1]
        if not axes:
            return []
        axis = axes[self.number % len(axes)]
        left = shape[:axis] + shape[axis + 1 :]
        return [canvas.moved(OPS.SQUEEZE, [at], left, SqueezeDims=(axis,))]


@dataclass(frozen=True)
class ExpandDims:
    """EXPAND_DIMS, up to four dimensions."""

    number: int

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at, axis, shape = _one_more(canvas, at, self.number)
        return [canvas.moved(OPS.EXPAND_DIMS, [at, canvas.numbers(axis)], shape)]


@dataclass(frozen=True)
class Pack:
    """PACK of one tensor, which is what EXPAND_DIMS does."""

    number: int

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at, axis, shape = _one_more(canvas, at, self.number)
        return [canvas.moved(OPS.PACK, [at], shape, ValuesCount=1, Axis=axis)]


def _one_more(canvas: Canvas, at: int, number: int) -> tuple[int, int, Shape]:
    """Return a tensor of three dimensions or fewer, where one more comes, and what it then is."""
    if len(canvas.shape(at)) > 3:
        at = canvas.reshaped(at, (1, *canvas.size(at)))
    shape = canvas.shape(at)
    axis = 1 + number % max(len(shape) - 1, 1)
    return at, axis, (*shape[:axis], 1, *shape[axis:])


@dataclass(frozen=True)
class Transpose:
    """TRANSPOSE that moves nothing: the dimensions beyond 1 stay in their order."""

    number: int

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        shape = canvas.shape(at)
        unit_axes = [axis for axis in range(1, len(shape)) if shape[axis] == 1]
        if not unit_axes:
            return []
        moving = unit_axes[self.number % len(unit_axes)]
        order = [axis for axis in range(len(shape)) if axis != moving]
        order.insert(1 + self.number // len(unit_axes) % max(len(shape) - 2, 1), moving)
        moved = tuple(shape[axis] for axis in order)
        return [canvas.moved(OPS.TRANSPOSE, [at, canvas.numbers(*order)], moved)]


MOST_TURNED = 48
"""Steps of a series that becomes one of as many channels."""


@dataclass(frozen=True)
class Turn:
    """TRANSPOSE by which time and channels change places."""

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        shape = canvas.shape(at)
        steps, channels = canvas.size(at)
        wide = [axis for axis in range(1, len(shape) - 1) if shape[axis] == steps]
        if not wide or steps > MOST_TURNED:
            return []
        time, last = wide[0], len(shape) - 1
        order, turned = list(range(len(shape))), list(shape)
        order[time], order[last] = last, time
        turned[time], turned[last] = channels, steps
        return [canvas.moved(OPS.TRANSPOSE, [at, canvas.numbers(*order)], tuple(turned))]


NUMBER = st.integers(0, 8)

DRAWS: dict[str, st.SearchStrategy[Draw]] = {
    "RESHAPE": st.builds(Reshape, channels=NUMBER),
    "SQUEEZE": st.builds(Squeeze, number=NUMBER),
    "EXPAND_DIMS": st.builds(ExpandDims, number=NUMBER),
    "PACK": st.builds(Pack, number=NUMBER),
    "TRANSPOSE": st.one_of(st.builds(Transpose, number=NUMBER), st.builds(Turn)),
}
