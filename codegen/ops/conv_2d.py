"""CONV_2D of height 1: a convolution along time."""

from dataclasses import dataclass
from typing import ClassVar, NoReturn

import numpy as np
import tflite

from dynadeep.codegen import c_text
from dynadeep.codegen.accumulators import accumulator_bounds, check_accumulators
from dynadeep.codegen.fixed_point import INT32_MAX, LARGEST_SHIFT
from dynadeep.codegen.graph import Int8s, Int32s, Node
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer, Overlap, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op

TAPS_LIMIT = 255  # kernel, stride and padding are uint8 in the kernel's parameters


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv1d(Layer):
    """A convolution along time.

    ``bias`` has the input's zero point folded in: it is the TFLite bias less zero point x sum of
    the channel's weights. ``multiplier`` and ``shift`` are in ``fixed_point``'s form.
    """

    FUNCTION: ClassVar[str] = "dd_conv1d_s8"
    STRUCT: ClassVar[str] = "dd_conv1d"
    OVERLAP: ClassVar[Overlap] = "tile"

    weights: Int8s  # [out_channels, kernel, in_channels]
    weight_scales: tuple[float, ...]  # [out_channels], for the reader of the C
    bias: Int32s  # [out_channels]
    multiplier: Int32s  # [out_channels]
    shift: Int8s  # [out_channels], left if positive
    low: int  # clamp of the requantised code
    high: int
    activation: str  # "NONE", "RELU", "RELU6": what the clamp stands for
    doubles: bool  # twice any accumulator fits int32
    stride: int
    pad_before: int

    @property
    def kernel(self) -> int:
        """Taps."""
        return int(self.weights.shape[1])

    @property
    def windows(self) -> tuple[Window, ...]:
        """What an output step reads."""
        return (Window(self.kernel, self.stride, self.pad_before),)

    @property
    def words(self) -> str:
        """``conv k5 s2``, and the activation that is a clamp."""
        words = f"conv k{self.kernel} s{self.stride}"
        return words if self.activation == "NONE" else f"{words}, {self.activation}"

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run, those on padding included."""
        return self.output.time * int(self.weights.size)

    def constants(self, kernels: KernelSet) -> dict[str, Int8s | Int32s]:
        """Return the weights in a kernel set's order, and what turns sums into codes."""
        return {
            "weights": kernels.ordered(self.weights),
            "bias": self.bias,
            "multiplier": self.multiplier,
            "shift": self.shift,
        }

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_conv1d``."""
        return {
            "in_channels": self.inputs[0].channels,
            "out_channels": self.output.channels,
            "kernel": self.kernel,
            "stride": self.stride,
            "pad_before": self.pad_before,
            "in_zero_point": self.inputs[0].zero_point,
            "out_zero_point": self.computed.zero_point,
            "out_min": self.low,
            "out_max": self.high,
            "doubles": "true" if self.doubles else "false",
        }

    def remark(self, kind: str) -> str:
        """Return the weights' scales."""
        return f"scale {c_text.span(self.weight_scales)}" if kind == "weights" else ""


@dataclass(frozen=True, eq=False)
class Conv2D(Op):
    """A convolution: ``inputs`` is one tensor [1, 1, T, C]."""

    weights: Int8s  # [out_channels, kernel, in_channels]
    weight_scales: tuple[float, ...]  # float32 values, [out_channels]
    bias: Int32s  # [out_channels]
    stride: int
    pad_before: int
    pad_after: int
    activation: str

    def lower(self) -> Conv1d:
        """Fold the zero point into the bias, and prove that no sum overflows."""
        if self.pad_before > TAPS_LIMIT:
            self.node.refuse(
                f"its input is padded by {self.pad_before}", f"At most {TAPS_LIMIT} fit."
            )
        source = self.inputs[0]
        # TFLite widens the float32 scales to double before it multiplies and divides them.
        scales = [source.scale * scale / self.output.scale for scale in self.weight_scales]
        multipliers = [checks.multiplier(self.node, scale, LARGEST_SHIFT) for scale in scales]
        shift = np.array([shift for _, shift in multipliers], np.int8)
        low, high = checks.activation_codes(self.node, self.activation, self.output)
        bounds = accumulator_bounds(self.weights, source.zero_point, self.bias)
        check_accumulators(self.node, bounds, shift)
        return Conv1d(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            weights=self.weights,
            weight_scales=self.weight_scales,
            bias=_folded_bias(self.weights, self.bias, source.zero_point),
            multiplier=np.array([mantissa for mantissa, _ in multipliers], np.int32),
            shift=shift,
            low=low,
            high=high,
            activation=self.activation,
            doubles=2 * max(bounds) <= INT32_MAX,
            stride=self.stride,
            pad_before=self.pad_before,
        )


def _folded_bias(weights: Int8s, bias: Int32s, zero_point: int) -> Int32s:
    """Return bias - zero point x sum of each output's weights, on whose range others decide."""
    sums = weights.reshape(len(weights), -1).sum(axis=1, dtype=np.int64)
    folded: Int32s = (bias.astype(np.int64) - zero_point * sums).astype(np.int32)
    return folded


def read(node: Node) -> Conv2D:
    """Read and check a CONV_2D."""
    source, filters, bias = checks.operands(node, 2, 3)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    weights, scales = checks.constant_weights(node, filters)
    _check_options(node)
    if weights.ndim != 4 or weights.shape[1] != 1 or weights.shape[3] != x.channels:
        _refuse_shape(node, f"its weights are {list(weights.shape)} for {x.channels} channels")
    stride, kernel = node.options["StrideW"], weights.shape[2]
    if not (1 <= stride <= TAPS_LIMIT and kernel <= TAPS_LIMIT):
        _refuse_shape(node, f"its kernel is {kernel} and its stride {stride}")
    before, after = _padding(node, x.time, kernel, stride)
    if y.shape[2:] != ((x.time + before + after - kernel) // stride + 1, weights.shape[0]):
        _refuse_shape(node, f'"{x.name}" {list(x.shape)} cannot give {list(y.shape)}')
    return Conv2D(
        node=node,
        inputs=(x,),
        output=y,
        weights=weights[:, 0],
        weight_scales=scales,
        bias=checks.constant_bias(node, bias, weights.shape[0]),
        stride=stride,
        pad_before=before,
        pad_after=after,
        activation=checks.fused_activation(node),
    )


def _check_options(node: Node) -> None:
    if not node.options:
        _refuse_shape(node, "it has no options")
    if node.options["DilationWFactor"] != 1 or node.options["DilationHFactor"] != 1:
        node.refuse(
            f"its dilation is {node.options['DilationWFactor']}, the kernel's is 1",
            "Use a wider kernel or a stride instead.",
        )


def _padding(node: Node, length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the time steps that TFLite pads before and after the input."""
    if node.options["Padding"] == tflite.Padding.VALID:
        if length < kernel:
            _refuse_shape(node, f"its kernel of {kernel} is longer than its input of {length}")
        return 0, 0
    out = -(-length // stride)
    total = max((out - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def _refuse_shape(node: Node, found: str) -> NoReturn:
    node.refuse(
        found, "Expected a plain convolution along time: weights [filters, 1, kernel, channels]."
    )
