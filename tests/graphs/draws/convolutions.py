"""Operators with weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import tflite
from hypothesis import strategies as st

from tests.codegen.tflite_builder import INT32, TensorSpec
from tests.graphs.canvas import MACS, OPS, VALUES, Canvas, Codes, Shape
from tests.graphs.draws.draw import (
    ACTIVATIONS,
    CHANNELS,
    GAINS,
    KERNELS,
    STRIDES,
    Draw,
    divisor,
    often,
)

Over = Literal["flat", "all", "channels"]
"""What a fully connected layer is connected to."""


@dataclass(frozen=True)
class Numbers:
    """What weights, biases and requantisation are drawn from."""

    gain: float
    extreme: bool  # weights
    bias_bits: int
    one_scale: bool  # for all channels
    biased: bool


def _numbers(biased: st.SearchStrategy[bool]) -> st.SearchStrategy[Numbers]:
    return st.builds(
        Numbers,
        gain=GAINS,
        extreme=st.booleans(),
        bias_bits=often(12, st.integers(1, 30)),
        one_scale=st.booleans(),
        biased=biased,
    )


BIASED = _numbers(st.just(True))  # as TFLite asks of CONV_2D
NUMBERS = _numbers(st.sampled_from((True, True, True, False)))


def weighted(
    canvas: Canvas, at: int, numbers: Numbers, shape: Shape, taps: int, *, axis: int = 0
) -> tuple[list[int], Codes]:
    """Add the weights of an operator that reads ``at``, and a bias if it has one.

    ``taps`` is how many products an output sums up. Return the constants, and codes of an output
    that suits them.
    """
    count, source = shape[axis], canvas.codes(at).scale
    scales = tuple(canvas.rng.uniform(0.001, 0.004, 1 if numbers.one_scale else count).tolist())
    zeros = (0,) * len(scales)
    weights = TensorSpec(f"w{len(canvas.model.tensors)}", shape, scales=scales, zero_points=zeros)
    weights.axis, weights.data = axis, canvas.random(shape, extreme=numbers.extreme)
    constants = [canvas.model.tensor(weights)]
    if numbers.biased:
        limit = 1 << numbers.bias_bits
        scales = tuple(source * scale for scale in scales)
        bias = TensorSpec(f"b{len(canvas.model.tensors)}", (count,), INT32, scales, zeros)
        bias.data = canvas.rng.integers(-limit, limit, count).astype(np.int32)
        constants.append(canvas.model.tensor(bias))
    typical = 0.002 * 64 * 64 * math.sqrt(taps) / 60
    return constants, canvas.any_codes(source * typical / numbers.gain)


def narrow(channels: int, macs_each: int) -> int:
    """Return how many of the channels that were drawn keep the layer small."""
    return max(1, min(channels, MACS // macs_each))


@dataclass(frozen=True)
class Conv2D:
    """CONV_2D, grouped and dilated ones too."""

    channels: int
    kernel: int
    stride: int
    dilation: int
    groups: int  # which of the possible numbers
    same: bool
    activation: int
    numbers: Numbers

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        source = canvas.four(at)
        time, channels = canvas.size(source)
        same, steps = _steps(time, self.kernel, self.stride, self.dilation, same=self.same)
        groups = divisor(channels, self.groups)
        taps = self.kernel * channels // groups
        count = narrow(self.channels or channels, taps * steps)
        count = -(-count // groups) * groups
        if count * steps > VALUES:
            return []
        shape = canvas.four_shape(count, self.kernel, channels // groups)
        constants, codes = weighted(canvas, source, self.numbers, shape, taps)
        convolved = canvas.op(
            OPS.CONV_2D,
            [source, *constants],
            canvas.four_shape(1, steps, count),
            codes,
            Padding=_padding(same=same),
            FusedActivationFunction=self.activation,
            **canvas.along_time(self.stride, dilation=self.dilation),
        )
        return [canvas.home(convolved)]


@dataclass(frozen=True)
class Depthwise:
    """DEPTHWISE_CONV_2D with a multiplier."""

    multiplier: int
    kernel: int
    stride: int
    dilation: int
    same: bool
    activation: int
    numbers: Numbers

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        source = canvas.four(at)
        time, channels = canvas.size(source)
        same, steps = _steps(time, self.kernel, self.stride, self.dilation, same=self.same)
        multiplier = narrow(self.multiplier, self.kernel * channels * steps)
        count = channels * multiplier
        if count * steps > VALUES:
            return []
        shape = canvas.four_shape(1, self.kernel, count)
        constants, codes = weighted(canvas, source, self.numbers, shape, self.kernel, axis=3)
        convolved = canvas.op(
            OPS.DEPTHWISE_CONV_2D,
            [source, *constants],
            canvas.four_shape(1, steps, count),
            codes,
            Padding=_padding(same=same),
            FusedActivationFunction=self.activation,
            DepthMultiplier=multiplier,
            **canvas.along_time(self.stride, dilation=self.dilation),
        )
        return [canvas.home(convolved)]


@dataclass(frozen=True)
class TransposeConv:
    """TRANSPOSE_CONV."""

    channels: int
    kernel: int
    stride: int
    same: bool
    activation: int
    numbers: Numbers

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        source = canvas.four(at)
        time, channels = canvas.size(source)
        steps = time * self.stride + (0 if self.same else max(self.kernel - self.stride, 0))
        count = narrow(self.channels or channels, self.kernel * channels * time)
        if count * steps > VALUES:
            return []
        shape = canvas.four_shape(count, self.kernel, channels)
        taps = max(1, self.kernel * channels // self.stride)
        constants, codes = weighted(canvas, source, self.numbers, shape, taps)
        output_shape = canvas.four_shape(1, steps, count)
        convolved = canvas.op(
            OPS.TRANSPOSE_CONV,
            [canvas.numbers(*output_shape), constants[0], source, *constants[1:]],
            output_shape,
            codes,
            Padding=_padding(same=self.same),
            FusedActivationFunction=self.activation,
            **canvas.along_time(self.stride),
        )
        return [canvas.home(convolved)]


@dataclass(frozen=True)
class FullyConnected:
    """FULLY_CONNECTED over all values, flattened before or not, or over the channels of a step."""

    over: Over
    units: int
    activation: int
    numbers: Numbers

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        time, channels = canvas.size(at)
        if self.over == "flat":
            at = canvas.reshaped(at, (1, time * channels))
        taps = channels if self.over == "channels" else time * channels
        steps = time if self.over == "channels" else 1
        count = narrow(self.units or channels, taps * steps)
        constants, codes = weighted(canvas, at, self.numbers, (count, taps), taps)
        keeps = self.over == "channels"
        output_shape = (*canvas.shape(at)[:-1], count) if keeps else (1, count)
        options = {"KeepNumDims": keeps, "FusedActivationFunction": self.activation}
        return [canvas.op(OPS.FULLY_CONNECTED, [at, *constants], output_shape, codes, **options)]


def _steps(time: int, kernel: int, stride: int, dilation: int, *, same: bool) -> tuple[bool, int]:
    """Return whether the padding is SAME, as it is where nothing else fits, and the steps."""
    reach = (kernel - 1) * dilation + 1
    if same or time < reach:
        return True, -(-time // stride)
    return False, (time - reach) // stride + 1


def _padding(*, same: bool) -> int:
    return int(tflite.Padding.SAME if same else tflite.Padding.VALID)


DILATIONS = often(1, st.one_of(st.integers(1, 5), st.integers(1, 16)))

DRAWS: dict[str, st.SearchStrategy[Draw]] = {
    "CONV_2D": st.builds(
        Conv2D,
        channels=CHANNELS,
        kernel=KERNELS,
        stride=STRIDES,
        dilation=DILATIONS,
        groups=often(0, st.integers(0, 9)),
        same=st.booleans(),
        activation=ACTIVATIONS,
        numbers=BIASED,
    ),
    "DEPTHWISE_CONV_2D": st.builds(
        Depthwise,
        multiplier=often(1, st.integers(1, 4)),
        kernel=KERNELS,
        stride=STRIDES,
        dilation=DILATIONS,
        same=st.booleans(),
        activation=ACTIVATIONS,
        numbers=NUMBERS,
    ),
    "TRANSPOSE_CONV": st.builds(
        TransposeConv,
        channels=CHANNELS,
        kernel=st.integers(1, 12),
        stride=st.one_of(st.integers(1, 3), st.integers(1, 7)),
        same=st.booleans(),
        activation=ACTIVATIONS,
        numbers=NUMBERS,
    ),
    "FULLY_CONNECTED": st.builds(
        FullyConnected,
        over=st.sampled_from(("flat", "all", "channels")),
        units=CHANNELS,
        activation=ACTIVATIONS,
        numbers=NUMBERS,
    ),
}
