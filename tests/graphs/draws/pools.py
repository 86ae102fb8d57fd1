"""Operators over windows or all of time that keep the channels: pools and reductions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import tflite
from hypothesis import strategies as st

from tests.graphs.canvas import OPS, TIME_AXIS, Canvas
from tests.graphs.draws.draw import ACTIVATIONS, KERNELS, MILD_GAINS, STRIDES, Draw

Over = Literal["time", "channels", "all"]


@dataclass(frozen=True)
class Pool:
    """MAX_POOL_2D and AVERAGE_POOL_2D."""

    code: int
    kernel: int
    stride: int
    same: bool
    activation: int

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        source = canvas.four(at)
        time, channels = canvas.size(source)
        same = self.same or time < self.kernel
        steps = -(-time // self.stride) if same else (time - self.kernel) // self.stride + 1
        pooled = canvas.moved(
            self.code,
            [source],
            canvas.four_shape(1, steps, channels),
            Padding=tflite.Padding.SAME if same else tflite.Padding.VALID,
            FusedActivationFunction=self.activation,
            **canvas.along_time(self.stride, window=self.kernel),
        )
        return [canvas.home(pooled)]


@dataclass(frozen=True)
class Reduce:
    """MEAN, REDUCE_MAX and REDUCE_MIN."""

    code: int
    over: Over
    keeps: bool  # the dimensions that it reduces, as 1
    all_axes: bool  # every axis of what it is over, those of 1 too
    gain: float

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        shape = canvas.shape(at)
        axes = self._axes(canvas, len(shape))
        with_ones = tuple(1 if axis in axes else count for axis, count in enumerate(shape))
        without = tuple(count for axis, count in enumerate(shape) if axis not in axes)
        codes = canvas.codes(at)
        if self.code == OPS.MEAN:
            codes = canvas.any_codes(codes.scale / self.gain)
        inputs = [at, canvas.numbers(*axes)]
        reduced = with_ones if self.keeps else without
        return [canvas.op(self.code, inputs, reduced, codes, KeepDims=self.keeps)]

    def _axes(self, canvas: Canvas, rank: int) -> list[int]:
        inner = list(range(1, rank - 1)) if self.all_axes else [TIME_AXIS[canvas.form]]
        return {"time": inner, "channels": [rank - 1], "all": [*inner, rank - 1]}[self.over]


def _pool(code: int) -> st.SearchStrategy[Draw]:
    return st.builds(
        Pool,
        code=st.just(code),
        kernel=KERNELS,
        stride=STRIDES,
        same=st.booleans(),
        activation=ACTIVATIONS,
    )


def _reduce(code: int) -> st.SearchStrategy[Draw]:
    overs: tuple[Over, ...] = ("time", "time", "time", "time", "channels", "all")
    return st.builds(
        Reduce,
        code=st.just(code),
        over=st.sampled_from(overs),
        keeps=st.booleans(),
        all_axes=st.booleans(),
        gain=MILD_GAINS,
    )


DRAWS: dict[str, st.SearchStrategy[Draw]] = {
    "MAX_POOL_2D": _pool(OPS.MAX_POOL_2D),
    "AVERAGE_POOL_2D": _pool(OPS.AVERAGE_POOL_2D),
    "MEAN": _reduce(OPS.MEAN),
    "REDUCE_MAX": _reduce(OPS.REDUCE_MAX),
    "REDUCE_MIN": _reduce(OPS.REDUCE_MIN),
}
