"""What the convolutions share: how they move along time, and the layer that each becomes."""

from dataclasses import dataclass, replace
from typing import ClassVar, NoReturn, TypedDict

import numpy as np
import tflite

from dynadeep.codegen import c_text
from dynadeep.codegen.accumulators import accumulator_bounds, check_accumulators
from dynadeep.codegen.fixed_point import INT32_MAX, LARGEST_SHIFT
from dynadeep.codegen.graph import Int8s, Int32s, Node, Tensor
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer, Overlap, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op

OPTIONS = (
    "Padding",
    "StrideH",
    "StrideW",
    "DilationHFactor",
    "DilationWFactor",
    "FusedActivationFunction",
)
"""What the readers of the padded ones look at."""

DOUBLING_SHIFTS = (-22, -2)
"""The shifts with which a doubled sum's product can take in what rounds, and the zero point."""

PLACE_LIMIT = (1 << 16) - 1  # kernel, stride and padding are uint16 in the kernels' parameters
LARGEST_TILE = 4  # windows that a kernel may look at behind the last one


@dataclass(frozen=True)
class Taps:
    """Which steps a window has, and where the windows are."""

    kernel: int
    stride: int
    dilation: int
    before: int  # steps of padding
    after: int

    @property
    def span(self) -> int:
        """Steps from a window's first tap to its last, both included."""
        return (self.kernel - 1) * self.dilation + 1

    def windows(self, length: int) -> int:
        """Return how many windows ``length`` steps have."""
        return (length + self.before + self.after - self.span) // self.stride + 1


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvLayer(Layer):
    """A layer whose parameters are a ``dd_conv1d``.

    ``bias`` has the input's zero point folded in: it is the TFLite bias less zero point x sum of
    the channel's weights. ``multiplier`` and ``shift`` are in ``fixed_point``'s form.
    """

    STRUCT: ClassVar[str] = "dd_conv1d"
    OVERLAP: ClassVar[Overlap] = "tile"

    weights: Int8s  # [out_channels, kernel, window_channels]
    weight_scales: tuple[float, ...]  # [out_channels], for the reader of the C
    bias: Int32s  # [out_channels]
    multiplier: Int32s  # [out_channels]
    shift: Int8s  # [out_channels], left if positive
    low: int  # clamp of the requantised code
    high: int
    activation: str  # "NONE", "RELU", "RELU6", "RELU_N1_TO_1": what the clamp stands for
    doubles: bool  # twice any accumulator fits int32, and all shifts are in DOUBLING_SHIFTS
    stride: int
    dilation: int = 1
    pad_before: int
    filters: int  # output channels that read the same input channels

    @property
    def kernel(self) -> int:
        """Taps."""
        return int(self.weights.shape[1])

    @property
    def windows(self) -> tuple[Window, ...]:
        """What an output step reads."""
        span = (self.kernel - 1) * self.dilation + 1
        return (Window(span, self.stride, self.pad_before),)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run, those on padding included."""
        return self.output.time * int(self.weights.size)

    def described(self, kind: str) -> str:
        """Return ``conv k5 s2 d3, RELU`` for the kind "conv"."""
        words = f"{kind} k{self.kernel} s{self.stride}"
        if self.dilation != 1:
            words += f" d{self.dilation}"
        return words if self.activation == "NONE" else f"{words}, {self.activation}"

    def constants(self, kernels: KernelSet) -> dict[str, Int8s | Int32s]:
        """Return the weights in a kernel set's order, and what turns sums into codes."""
        return {
            "weights": self.ordered(kernels),
            "bias": self.bias,
            "multiplier": self.multiplier,
            "shift": self.shift,
        }

    def ordered(self, kernels: KernelSet) -> Int8s:
        """Return the weights as a kernel set wants them."""
        return kernels.ordered(self.weights)

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_conv1d``."""
        return {
            "in_channels": self.inputs[0].channels,
            "out_channels": len(self.weights),
            "kernel": self.kernel,
            "stride": self.stride,
            "pad_before": self.pad_before,
            "dilation": self.dilation,
            "window_channels": int(self.weights.shape[2]),
            "filters": self.filters,
            "in_zero_point": self.inputs[0].zero_point,
            "out_zero_point": self.computed.zero_point,
            "out_min": self.low,
            "out_max": self.high,
            "doubles": "true" if self.doubles else "false",
        }

    def remark(self, kind: str) -> str:
        """Return the weights' scales."""
        return f"scale {c_text.span(self.weight_scales)}" if kind == "weights" else ""


class Constants(TypedDict):
    """The fields of a ``ConvLayer`` that are the same in every convolution."""

    name: str
    inputs: tuple[Tensor, ...]
    computed: Tensor
    output: Tensor
    weights: Int8s
    weight_scales: tuple[float, ...]
    bias: Int32s
    multiplier: Int32s
    shift: Int8s
    low: int
    high: int
    activation: str
    doubles: bool


@dataclass(frozen=True, eq=False)
class Convolution(Op):
    """A convolution along time: ``inputs`` is one tensor."""

    weights: Int8s  # [out_channels, kernel, window_channels]
    weight_scales: tuple[float, ...]  # float32 values, [out_channels]
    bias: Int32s  # [out_channels]
    activation: str

    def final(self) -> Constants:
        """Fold the zero point into the bias, and prove that no sum overflows.

        Raises:
            ModelError: one could, or a scale is beyond the kernels.
        """
        source = self.inputs[0]
        # TFLite widens the float32 scales to double before it multiplies and divides them.
        scales = [source.scale * scale / self.output.scale for scale in self.weight_scales]
        multipliers = [checks.multiplier(self.node, scale, LARGEST_SHIFT) for scale in scales]
        shift = np.array([shift for _, shift in multipliers], np.int8)
        low, high = checks.activation_codes(self.node, self.activation, self.output)
        bounds = accumulator_bounds(self.weights, source.zero_point, self.bias)
        check_accumulators(self.node, bounds, shift)
        return Constants(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            weights=self.weights,
            weight_scales=self.weight_scales,
            bias=folded_bias(self.weights, self.bias, source.zero_point),
            multiplier=np.array([mantissa for mantissa, _ in multipliers], np.int32),
            shift=shift,
            low=low,
            high=high,
            activation=self.activation,
            doubles=2 * max(bounds) <= INT32_MAX and _doubling(shift),
        )


def _doubling(shift: Int8s) -> bool:
    least, most = DOUBLING_SHIFTS
    return bool(((least <= shift) & (shift <= most)).all())


@dataclass(frozen=True, eq=False)
class PaddedConvolution(Convolution):
    """One that may have padding at its border, and takes in that of a PAD in front of it."""

    taps: Taps

    def padded(self, before: int, after: int, source: Tensor) -> "PaddedConvolution":
        """Return the same on ``source``, which a PAD in front of it padded."""
        taps = replace(self.taps, before=self.taps.before + before, after=self.taps.after + after)
        return replace(self, inputs=(source,), taps=taps)

    def places(self) -> Taps:
        """Return the taps, none of them further apart than it matters.

        Raises:
            ModelError: they are beyond the kernels' numbers.
        """
        taps = replace(
            self.taps,
            stride=self.taps.stride if self.output.time > 1 else 1,
            dilation=self.taps.dilation if self.taps.kernel > 1 else 1,
        )
        source = self.inputs[0]
        largest = max(taps.span, taps.stride, taps.before)
        reach = source.time + taps.before + taps.after + LARGEST_TILE * taps.stride + taps.span
        if largest > PLACE_LIMIT or reach * source.channels > INT32_MAX:
            self.node.refuse(
                f"its windows of {taps.span} steps, {taps.stride} apart, begin {taps.before} "
                f"steps ahead of {source.time} x {source.channels} values",
                f"At most {PLACE_LIMIT} steps and {INT32_MAX} values fit the kernels' numbers.",
            )
        return taps


def folded_bias(weights: Int8s, bias: Int32s, zero_point: int) -> Int32s:
    """Return bias - zero point x sum of each output's weights, on whose range others decide."""
    sums = weights.reshape(len(weights), -1).sum(axis=1, dtype=np.int64)
    folded: Int32s = (bias.astype(np.int64) - zero_point * sums).astype(np.int32)
    return folded


def time_axis(node: Node, x: Tensor, weights: Int8s) -> int:
    """Return which of height (1) and width (2) is time."""
    axis = checks.time_axis(x)
    if len(x.shape) != 4 or weights.ndim != 4 or axis not in (1, 2):
        refuse_shape(node, f"its input is {list(x.shape)}, its weights {list(weights.shape)}")
    return axis


def taps_of(node: Node, x: Tensor, kernel: int, axis: int) -> Taps:
    """Return the taps along ``axis``, with the padding that TFLite gives them."""
    letter = "HW"[axis - 1]
    stride, dilation = node.options[f"Stride{letter}"], node.options[f"Dilation{letter}Factor"]
    if min(stride, dilation, kernel) < 1:
        refuse_shape(node, f"its kernel is {kernel}, its stride {stride}, its dilation {dilation}")
    taps = Taps(kernel, int(stride), int(dilation), 0, 0)
    length = x.shape[axis]
    if node.options["Padding"] == tflite.Padding.SAME:
        before, after = same_padding(length, -(-length // taps.stride), taps)
        return replace(taps, before=before, after=after)
    if length < taps.span:
        refuse_shape(node, f"its window of {taps.span} is longer than its input of {length}")
    return taps


def same_padding(length: int, windows: int, taps: Taps) -> tuple[int, int]:
    """Return the steps that TFLite pads before and after ``length`` steps."""
    total = max((windows - 1) * taps.stride + taps.span - length, 0)
    return total // 2, total - total // 2


def along_time(node: Node, x: Tensor, weights: Int8s) -> tuple[Int8s, Taps, int]:
    """Return weights [first axis, kernel, last axis] with their taps, and the axis of time.

    Across time there is one step, of which all but one tap at most see padding.
    """
    if not node.options:
        refuse_shape(node, "it has no options")
    axis = time_axis(node, x, weights)
    across = 3 - axis
    beside = taps_of(node, x, weights.shape[across], across)
    tap, misses = divmod(beside.before, beside.dilation)
    time_weights = weights.take(tap, across)
    taps = taps_of(node, x, weights.shape[axis], axis)
    return np.zeros_like(time_weights) if misses else np.ascontiguousarray(time_weights), taps, axis


def check_output(node: Node, x: Tensor, y: Tensor, sizes: dict[int, int]) -> None:
    """Check that the output has the input's shape but for ``sizes``, by axis."""
    expected = [sizes.get(axis, size) for axis, size in enumerate(x.shape)]
    if list(y.shape) != expected:
        refuse_shape(node, f'"{x.name}" {list(x.shape)} cannot give {list(y.shape)}')


def refuse_shape(node: Node, problem: str) -> NoReturn:
    """Refuse what is no convolution along time."""
    node.refuse(
        problem,
        "Expected a convolution along time: weights [filters, 1, kernel, channels] or "
        "[filters, kernel, 1, channels].",
    )
