"""DEPTHWISE_CONV_2D along one axis: each channel is convolved by itself."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynadeep.codegen.graph import Int8s, Int32s, Node
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.convolution import (
    ConvLayer,
    PaddedConvolution,
    along_time,
    check_output,
    refuse_shape,
)

COSTS = {"plain": (90, 7.5), "lanes": (46, 4.0), "dsp": (13, 3.1), "helium": (9, 1.8)}
"""Instructions for an output value, and for each of its taps, on a kernel set's own cores."""

COST_OF_THREE = 12
"""The same for an output value of the DSP kernels' part for three taps."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Depthwise(ConvLayer):
    """A convolution of each channel by itself; ``filters`` is how often."""

    FUNCTION: ClassVar[str] = "dd_depthwise_s8"

    @property
    def words(self) -> str:
        """``depthwise k3 s1``."""
        return self.described("depthwise")

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about how many instructions one run takes on a core."""
        of_value, of_tap = COSTS[kernels.name]
        foreign = kernels.cost(cpu).per_mac / kernels.own.per_mac
        if kernels.name == "dsp" and (self.kernel, self.stride, self.dilation) == (3, 1, 1):
            return self.output.size * COST_OF_THREE * foreign
        return self.output.size * (of_value + of_tap * self.kernel) * foreign

    def constants(self, kernels: KernelSet) -> dict[str, Int8s | Int32s]:
        """Return weights [kernel, out_channels], or all that there is of each channel as words."""
        if kernels.name == "dsp":
            return {"weights": self._words().view(np.int8)}
        return super().constants(kernels)

    def ordered(self, kernels: KernelSet) -> Int8s:
        """Return the weights as [kernel, out_channels]."""
        return np.ascontiguousarray(self.weights[:, :, 0].T)

    def _words(self) -> Int32s:
        """Return what ``dd_depthwise_dsp.c`` reads: pairs of int16 weights, then four numbers."""
        scale = 2 if self.doubles else 1
        taps = self.weights[:, :, 0].astype(np.int16) * np.int16(scale)
        if self.kernel % 2:
            before = taps[:, -2:-1] if self.kernel > 1 else np.zeros_like(taps)
            taps = np.concatenate([taps[:, :-1], before, taps[:, -1:]], axis=1)
        pairs = np.ascontiguousarray(taps).view(np.int32)
        shift = -self.shift.astype(np.int64)
        rounding = np.left_shift(2 * self.computed.zero_point + 1, np.clip(shift - 1, 0, 30))
        offset = rounding if self.doubles else np.zeros_like(shift)
        bias = self.bias.astype(np.int64) * scale
        numbers = np.stack((bias, self.multiplier.astype(np.int64), shift, offset), axis=1)
        return np.hstack((pairs, numbers.astype(np.int32)))


@dataclass(frozen=True, eq=False)
class DepthwiseConv2D(PaddedConvolution):
    """A convolution of each channel by itself."""

    def lower(self) -> Depthwise:
        """Make all constants final."""
        taps = self.places()
        return Depthwise(
            **self.final(),
            stride=taps.stride,
            dilation=taps.dilation,
            pad_before=taps.before,
            filters=len(self.weights) // self.inputs[0].channels,
        )


def read(node: Node) -> DepthwiseConv2D:
    """Read and check a DEPTHWISE_CONV_2D, whose weights are [1, height, width, out_channels]."""
    source, filters, bias = checks.operands(node, 2, 3)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    constant, scales = checks.constant_weights(node, filters, axis=3)
    time_weights, taps, axis = along_time(node, x, constant)
    weights = np.ascontiguousarray(time_weights.transpose(2, 1, 0))
    if constant.shape[0] != 1 or len(weights) % x.channels or len(weights) == 0:
        refuse_shape(node, f"its weights are {list(constant.shape)} for {x.channels} channels")
    check_output(node, x, y, {axis: taps.windows(x.time), 3: len(weights)})
    return DepthwiseConv2D(
        node=node,
        inputs=(x,),
        output=y,
        weights=weights,
        weight_scales=scales,
        bias=checks.constant_bias(node, bias, len(weights)),
        activation=checks.fused_activation(node),
        taps=taps,
    )
