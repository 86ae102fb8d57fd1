"""What an ONNX tensor is on its way to TensorFlow: a series, and which dimension is which.

Every computed value is held as [1, 1, T, C], time before channels, whatever its dimensions are in
ONNX. So a Transpose, Squeeze or Unsqueeze moves nothing: it only changes what the dimensions mean.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dynadeep.export.packages import tensorflow

Array = npt.NDArray[Any]

BATCH, TIME, CHANNELS, ONE = "batch", "time", "channels", "one"
FLAT = "flat"
"""Channels before time, in one dimension: what PyTorch's flatten makes of a series."""


class LayoutError(Exception):
    """An operator reads the dimensions in another way than they are held."""


@dataclass(frozen=True)
class Value:
    """A computed tensor. ``layout`` says what each dimension of ONNX's is."""

    tensor: Any  # TensorFlow's, [1, 1, T, C]
    layout: tuple[str, ...]

    @property
    def time(self) -> int:
        """Steps."""
        return int(self.tensor.shape[2])

    @property
    def channels(self) -> int:
        """Channels."""
        return int(self.tensor.shape[3])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that ONNX has."""
        sizes = {BATCH: 1, ONE: 1, TIME: self.time, CHANNELS: self.channels}
        sizes[FLAT] = self.time * self.channels
        return tuple(sizes[kind] for kind in self.layout)

    def kind(self, axis: int) -> str:
        """Return what a dimension is; one of size 1 is what the layout lacks.

        Raises:
            LayoutError: there is no such dimension.
        """
        if not -len(self.layout) <= axis < len(self.layout):
            raise LayoutError(f"has no dimension {axis}, of {list(self.shape)}")
        return self.layout[axis]

    def is_kind(self, axis: int, kind: str) -> bool:
        """Return whether a dimension is, or can be taken for, the channels or the time."""
        own_kind = self.kind(axis)
        return own_kind == kind or (own_kind == ONE and kind not in self.layout)

    def axis(self, axis: int) -> int:
        """Return which dimension of ``tensor`` one of ONNX's is: 2 for time, 3 for channels."""
        for dimension, kind in ((3, CHANNELS), (2, TIME)):
            if self.is_kind(axis, kind):
                return dimension
        raise LayoutError(f"works on dimension {axis} of {list(self.shape)}, the {self.kind(axis)}")

    def having(self, tensor: Any) -> "Value":
        """Return another tensor of the same layout."""
        return replace(self, tensor=tensor)


def as_series(array: Array, like: Value) -> Array:
    """Return a constant that is broadcast against ``like`` as [1, 1, T or 1, C or 1].

    Raises:
        LayoutError: it has more dimensions, or stands against a flattened series.
    """
    if array.ndim > len(like.layout) or (FLAT in like.layout and array.size != 1):
        raise LayoutError(f"combines a constant of {list(array.shape)} with {list(like.shape)}")
    padded = array.reshape((1,) * (len(like.layout) - array.ndim) + array.shape)
    sizes = {TIME: 1, CHANNELS: 1}
    order = []
    for axis, size in enumerate(padded.shape):
        if size != 1:
            kind = TIME if like.axis(axis) == 2 else CHANNELS
            sizes[kind] = size
            order.append(kind)
    if order == [CHANNELS, TIME]:
        padded = padded.reshape(sizes[CHANNELS], sizes[TIME]).T
    return padded.reshape(1, 1, sizes[TIME], sizes[CHANNELS])


def reshaped(value: Value, shape: Sequence[int]) -> Value:
    """Return a value whose dimensions are joined or split so, if no number has to move.

    Raises:
        LayoutError: one has, or the numbers are more or fewer.
    """
    old = [kind for kind, size in zip(value.layout, value.shape, strict=True) if size != 1]
    sizes = [size for size in shape if size != 1]
    if math.prod(shape) != math.prod(value.shape):
        raise LayoutError(f"reshapes {list(value.shape)} to {list(shape)}, of another size")
    if sizes == [size for size in value.shape if size != 1]:
        kinds = iter(old)
        return replace(value, layout=tuple(next(kinds) if n != 1 else ONE for n in shape))
    if len(sizes) == 1 and old in ([CHANNELS, TIME], [TIME, CHANNELS]):
        flat = FLAT
        if old == [TIME, CHANNELS]:
            flat = CHANNELS
            value = value.having(tensorflow().reshape(value.tensor, [1, 1, 1, sizes[0]]))
        return replace(value, layout=tuple(flat if n != 1 else ONE for n in shape))
    if old == [FLAT] and sizes == [value.channels, value.time]:  # a flattened one unfolds again
        kinds = iter((CHANNELS, TIME))
        return replace(value, layout=tuple(next(kinds) if n != 1 else ONE for n in shape))
    raise LayoutError(f"reshapes {list(value.shape)} to {list(shape)}")


def to_onnx(values: Array, layout: Sequence[str]) -> Array:
    """Return numbers [N, T, C] in the dimensions that ONNX has."""
    count, time, channels = values.shape
    kinds = [kind for kind in layout if kind in (TIME, CHANNELS, FLAT)]
    if kinds[:1] == [CHANNELS] or FLAT in kinds:
        values = values.transpose(0, 2, 1)
    sizes = {BATCH: 1, ONE: 1, TIME: time, CHANNELS: channels, FLAT: time * channels}
    return values.reshape(count, *(sizes[kind] for kind in layout[1:]))


def from_onnx(values: Array, layout: Sequence[str]) -> Array:
    """Return numbers [N, ...] of ONNX's dimensions as [N, T, C]."""
    sizes = {TIME: 1, CHANNELS: 1}
    for kind, size in zip(layout, values.shape, strict=True):
        if kind in sizes:
            sizes[kind] = size
    order = [kind for kind in layout if kind in sizes]
    if order == [CHANNELS, TIME]:
        values = values.reshape(len(values), sizes[CHANNELS], sizes[TIME]).transpose(0, 2, 1)
    return np.ascontiguousarray(values).reshape(len(values), sizes[TIME], sizes[CHANNELS])
