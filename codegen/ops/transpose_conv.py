"""TRANSPOSE_CONV along one axis: several output steps for each step of the input.

The output steps that end on one input step make a row: one step of a convolution that has a block
of output channels for each of them. A block's taps are every ``stride``-th of the operator's.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import tflite

from dynadeep.codegen.graph import Int8s, Node, Tensor
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Overlap, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.convolution import (
    PLACE_LIMIT,
    ConvLayer,
    Convolution,
    Taps,
    check_output,
    refuse_shape,
    same_padding,
    time_axis,
)

OPTIONS = ("Padding", "StrideH", "StrideW", "FusedActivationFunction")


@dataclass(frozen=True, eq=False, kw_only=True)
class TransposedConv1d(ConvLayer):
    """A transposed convolution as rows: ``weights`` are [stride x filters, taps, in_channels].

    ``pad_before`` is the number of steps that the first row has ahead of the output.
    """

    FUNCTION: ClassVar[str] = "dd_transpose_conv_s8"
    OVERLAP: ClassVar[Overlap] = "none"

    @property
    def windows(self) -> tuple[Window, ...]:
        """What an output step reads: its row's window."""
        ahead = (self.kernel - 1) * self.stride - self.pad_before
        return (Window(self.kernel, 1, ahead, up=self.stride),)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run, those on padding included."""
        return self.output.time * self.filters * self.kernel * self.inputs[0].channels

    @property
    def words(self) -> str:
        """``transposed conv k2 s2``; the taps are those of a row."""
        return self.described("transposed conv")

    def ordered(self, kernels: KernelSet) -> Int8s:
        """Return each block's weights by themselves."""
        blocks = self.weights.reshape(self.stride, self.filters, *self.weights.shape[1:])
        return np.concatenate([kernels.ordered(block) for block in blocks])


@dataclass(frozen=True, eq=False)
class TransposeConv(Convolution):
    """A transposed convolution; ``weights`` are rows already."""

    stride: int
    crop: int

    def lower(self) -> TransposedConv1d:
        """Make all constants final."""
        largest = max(len(self.weights), self.stride, self.crop)
        if largest > PLACE_LIMIT:
            self.node.refuse(
                f"its {len(self.weights)} channels in a row of {self.stride} steps, cropped by "
                f"{self.crop}",
                f"At most {PLACE_LIMIT} fit the kernels' numbers.",
            )
        return TransposedConv1d(
            **self.final(),
            stride=self.stride,
            pad_before=self.crop,
            filters=len(self.weights) // self.stride,
        )


def read(node: Node) -> TransposeConv:
    """Read and check a TRANSPOSE_CONV: the output's shape, weights, input and bias."""
    shape, filters, source, bias = checks.operands(node, 3, 4)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    _check_shape(node, shape, y)
    constant, scales = checks.constant_weights(node, filters)
    axis, weights, taps = _along_time(node, x, y, constant)
    if weights.shape[2] != x.channels:
        refuse_shape(node, f"its weights are {list(constant.shape)} for {x.channels} channels")
    check_output(node, x, y, {axis: y.time, 3: len(weights)})
    count = taps.stride
    return TransposeConv(
        node=node,
        inputs=(x,),
        output=y,
        weights=_rows(weights, count),
        weight_scales=scales * count,
        bias=np.tile(checks.constant_bias(node, bias, len(weights)), count),
        activation=checks.fused_activation(node),
        stride=count,
        crop=taps.before,
    )


def _check_shape(node: Node, shape: Tensor | None, y: Tensor) -> None:
    if shape is None or shape.data is None or shape.data.reshape(-1).tolist() != list(y.shape):
        node.refuse("its output's shape is not a constant that its output has", checks.CONVERT)


def _along_time(node: Node, x: Tensor, y: Tensor, weights: Int8s) -> tuple[int, Int8s, Taps]:
    """Return the axis of time, weights [out_channels, kernel, in_channels] and their taps."""
    if not node.options:
        refuse_shape(node, "it has no options")
    axis = time_axis(node, x if x.time > 1 else y, weights)
    across = _taps(node, y, weights, 3 - axis)
    if x.shape[3 - axis] != 1 or across.before >= across.kernel:
        refuse_shape(node, f"its input is {list(x.shape)}, its weights {list(weights.shape)}")
    time_weights: Int8s = np.take(weights, across.before, 3 - axis)
    return axis, time_weights, _taps(node, y, weights, axis)


def _taps(node: Node, y: Tensor, weights: Int8s, axis: int) -> Taps:
    """Return the taps along ``axis``, with the padding of the convolution that it transposes."""
    stride, kernel = int(node.options[f"Stride{'HW'[axis - 1]}"]), weights.shape[axis]
    if min(stride, kernel) < 1:
        refuse_shape(node, f"its kernel is {kernel} and its stride {stride}")
    taps = Taps(kernel, stride, 1, 0, 0)
    if node.options["Padding"] != tflite.Padding.SAME:
        return taps
    length = y.shape[axis]
    before, after = same_padding(length, -(-length // stride), taps)
    return replace(taps, before=before, after=after)


def _rows(weights: Int8s, stride: int) -> Int8s:
    """Return [stride x out_channels, taps, in_channels]; tap ``taps - 1`` sees the row's own step.

    What is missing of the last taps is zero.
    """
    channels, kernel, inputs = weights.shape
    taps = -(-kernel // stride)
    whole = np.pad(weights, [(0, 0), (0, taps * stride - kernel), (0, 0)])
    split = whole.reshape(channels, taps, stride, inputs)[:, ::-1]
    return np.ascontiguousarray(split.transpose(2, 0, 1, 3)).reshape(-1, taps, inputs)
