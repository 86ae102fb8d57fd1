"""Operators that move codes from several tensors, or into more or fewer of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import tflite
from hypothesis import strategies as st

from tests.graphs.canvas import OPS, TIME_AXIS, VALUES, Canvas
from tests.graphs.draws.draw import Draw, divisor, often, seldom

Axis = Literal["time", "channels"]
AXES: st.SearchStrategy[Axis] = st.sampled_from(("time", "channels"))


def _number(canvas: Canvas, axis: Axis) -> int:
    return TIME_AXIS[canvas.form] if axis == "time" else len(canvas.form) - 1


@dataclass(frozen=True)
class Concatenation:
    """CONCATENATION of tensors that fit, brought to the codes of the first."""

    axis: Axis
    backs: tuple[int, ...]
    from_behind: bool  # the axis is counted from behind

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        shared = 1 if self.axis == "time" else 0  # the dimension in which they agree
        size = canvas.size(at)
        fitting = [m for m in canvas.readable if canvas.size(m)[shared] == size[shared]] or [at]
        chosen = [canvas.formed(fitting[-1 - back % len(fitting)]) for back in self.backs]
        parts = [at, *(canvas.quantized_like(part, canvas.codes(at)) for part in chosen)]
        total = sum(canvas.size(part)[1 - shared] for part in parts)
        if total * size[shared] > VALUES:
            return []
        whole = (total, size[1]) if self.axis == "time" else (size[0], total)
        number = _number(canvas, self.axis)
        number -= len(canvas.form) if self.from_behind else 0
        return [canvas.moved(OPS.CONCATENATION, parts, canvas.whole_shape(*whole), Axis=number)]


@dataclass(frozen=True)
class Split:
    """SPLIT into equal parts."""

    axis: Axis
    number: int  # which of the possible numbers of parts

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        time, channels = canvas.size(at)
        count = min(divisor(time if self.axis == "time" else channels, self.number), 12)
        if (time if self.axis == "time" else channels) % count:
            return []
        part = (time // count, channels) if self.axis == "time" else (time, channels // count)
        inputs = [canvas.numbers(_number(canvas, self.axis)), at]
        shape = canvas.whole_shape(*part)
        outputs = [canvas.activation(shape, canvas.codes(at)) for _ in range(count)]
        canvas.model.op(OPS.SPLIT, inputs, outputs, NumSplits=count)
        return outputs


@dataclass(frozen=True)
class Parts:
    """SPLIT_V into two parts of any size."""

    axis: Axis
    first: int

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        shape, axis = canvas.shape(at), _number(canvas, self.axis)
        if shape[axis] == 1:
            return []
        first = 1 + self.first % (shape[axis] - 1)
        counts = (first, shape[axis] - first)
        inputs = [at, canvas.numbers(*counts), canvas.numbers(axis)]
        shapes = [(*shape[:axis], count, *shape[axis + 1 :]) for count in counts]
        outputs = [canvas.activation(part, canvas.codes(at)) for part in shapes]
        canvas.model.op(OPS.SPLIT_V, inputs, outputs, NumSplits=2)
        return outputs


@dataclass(frozen=True)
class Unpack:
    """UNPACK of few steps or channels, whose dimension goes."""

    axis: Axis

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        shape, axis = canvas.shape(at), _number(canvas, self.axis)
        if shape[axis] > 9:
            return []
        left = shape[:axis] + shape[axis + 1 :]
        outputs = [canvas.activation(left, canvas.codes(at)) for _ in range(shape[axis])]
        canvas.model.op(OPS.UNPACK, [at], outputs, Num=shape[axis], Axis=axis)
        return outputs


@dataclass(frozen=True)
class Pad:
    """PAD of steps, and seldom of channels; PADV2 if it says with which code."""

    time: tuple[int, int]
    channels: tuple[int, int]
    code: int | None

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        time, channels = canvas.size(at)
        size = (time + sum(self.time), channels + sum(self.channels))
        if size[0] * size[1] > VALUES:
            return []
        amounts = [(0, 0)] * len(canvas.form)
        amounts[_number(canvas, "time")] = self.time
        amounts[-1] = self.channels
        inputs = [at, canvas.numbers(*amounts)]
        if self.code is None:
            return [canvas.moved(OPS.PAD, inputs, canvas.whole_shape(*size))]
        inputs.append(canvas.constant(np.array(self.code, np.int8), canvas.codes(at)))
        return [canvas.moved(OPS.PADV2, inputs, canvas.whole_shape(*size))]


@dataclass(frozen=True)
class Mirror:
    """MIRROR_PAD of steps: the first and last one twice or not."""

    before: int
    after: int
    symmetric: bool

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        time, channels = canvas.size(at)
        most = time if self.symmetric else time - 1
        pair = (min(self.before, most), min(self.after, most))
        amounts = [(0, 0)] * len(canvas.form)
        amounts[_number(canvas, "time")] = pair
        shape = canvas.whole_shape(time + sum(pair), channels)
        mode = tflite.MirrorPadMode.SYMMETRIC if self.symmetric else tflite.MirrorPadMode.REFLECT
        return [canvas.moved(OPS.MIRROR_PAD, [at, canvas.numbers(*amounts)], shape, Mode=mode)]


@dataclass(frozen=True)
class PlainSlice:
    """SLICE of steps and channels."""

    begins: tuple[int, int]
    cuts: tuple[int, int]

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        shape = canvas.shape(at)
        begins, sizes = [0] * len(shape), list(shape)
        axes = (_number(canvas, "time"), len(shape) - 1)
        for axis, begin, cut in zip(axes, self.begins, self.cuts, strict=True):
            begins[axis] = begin % shape[axis]
            most = shape[axis] - begins[axis]
            sizes[axis] = most - cut % most
        numbers = [canvas.numbers(*begins), canvas.numbers(*sizes)]
        return [canvas.moved(OPS.SLICE, [at, *numbers], tuple(sizes))]


@dataclass(frozen=True)
class Slice:
    """STRIDED_SLICE of steps or channels; ``shrinks``: of one of them, whose dimension goes."""

    axis: Axis
    begin: int
    cut: int  # from the end
    stride: int
    masked: bool  # begins and ends that reach the ends are left to the masks
    shrinks: bool

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        shape = canvas.shape(at)
        axis = _number(canvas, self.axis)
        count = shape[axis]
        begin = self.begin % count
        end = count - self.cut % (count - begin)
        if self.shrinks:
            return [self._one(canvas, at, axis, begin)]
        left = -(-(end - begin) // self.stride)
        begins, ends, strides = [0] * len(shape), list(shape), [1] * len(shape)
        begins[axis], ends[axis], strides[axis] = begin, end, self.stride
        numbers = [canvas.numbers(*values) for values in (begins, ends, strides)]
        other_axes = sum(1 << other for other in range(len(shape)) if other != axis)
        masks = other_axes if self.masked else 0
        sliced = (*shape[:axis], left, *shape[axis + 1 :])
        return [
            canvas.moved(OPS.STRIDED_SLICE, [at, *numbers], sliced, BeginMask=masks, EndMask=masks)
        ]

    def _one(self, canvas: Canvas, at: int, axis: int, begin: int) -> int:
        """Slice out one step or channel, counted from behind if ``masked``."""
        shape = canvas.shape(at)
        begins, ends, strides = [0] * len(shape), list(shape), [1] * len(shape)
        begins[axis] = begin - shape[axis] if self.masked else begin
        ends[axis] = begins[axis] + 1
        numbers = [canvas.numbers(*values) for values in (begins, ends, strides)]
        left = shape[:axis] + shape[axis + 1 :]
        return canvas.moved(OPS.STRIDED_SLICE, [at, *numbers], left, ShrinkAxisMask=1 << axis)


@dataclass(frozen=True)
class Resize:
    """RESIZE_NEAREST_NEIGHBOR along time."""

    factor: int
    more: int  # steps beyond the factor's
    align_corners: bool
    half_pixels: bool

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        source = canvas.four(at)
        time, channels = canvas.size(source)
        steps = time * self.factor + self.more
        if steps * channels > VALUES:
            return []
        shape = canvas.four_shape(1, steps, channels)
        resized = canvas.moved(
            OPS.RESIZE_NEAREST_NEIGHBOR,
            [source, canvas.numbers(*shape[1:3])],
            shape,
            AlignCorners=self.align_corners and not self.half_pixels,
            HalfPixelCenters=self.half_pixels,
        )
        return [canvas.home(resized)]


FEW_OR_MANY = st.one_of(st.integers(0, 9), st.integers(0, 60))
PAIR = st.tuples(FEW_OR_MANY, FEW_OR_MANY)
FEW_CHANNELS = st.tuples(seldom(0, st.integers(0, 3)), seldom(0, st.integers(0, 3)))

DRAWS: dict[str, st.SearchStrategy[Draw]] = {
    "CONCATENATION": st.builds(
        Concatenation,
        axis=AXES,
        backs=st.one_of(
            st.lists(st.integers(0, 6), min_size=1, max_size=3),
            st.lists(st.integers(0, 6), min_size=1, max_size=10),
        ).map(tuple),
        from_behind=st.booleans(),
    ),
    "SPLIT": st.builds(Split, axis=AXES, number=st.integers(0, 9)),
    "SPLIT_V": st.builds(Parts, axis=AXES, first=st.integers(0, 60)),
    "UNPACK": st.builds(Unpack, axis=AXES),
    "PAD": st.builds(Pad, time=PAIR, channels=FEW_CHANNELS, code=st.none()),
    "PADV2": st.builds(Pad, time=PAIR, channels=FEW_CHANNELS, code=st.integers(-128, 127)),
    "MIRROR_PAD": st.builds(Mirror, before=FEW_OR_MANY, after=FEW_OR_MANY, symmetric=st.booleans()),
    "SLICE": st.builds(PlainSlice, begins=PAIR, cuts=PAIR),
    "STRIDED_SLICE": st.builds(
        Slice,
        axis=AXES,
        begin=st.one_of(st.just(0), st.integers(0, 60)),
        cut=st.one_of(st.just(0), st.integers(0, 60)),
        stride=st.one_of(st.just(1), st.integers(1, 9)),
        masked=st.booleans(),
        shrinks=seldom(False, st.just(True)),
    ),
    "RESIZE_NEAREST_NEIGHBOR": st.builds(
        Resize,
        factor=st.integers(1, 4),
        more=often(0, st.integers(0, 9)),
        align_corners=seldom(False, st.just(True)),
        half_pixels=seldom(False, st.just(True)),
    ),
}
