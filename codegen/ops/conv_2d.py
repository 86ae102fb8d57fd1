"""CONV_2D along one axis: a convolution along time, dilated or in groups if need be."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynadeep.codegen.graph import Int8s, Node
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.convolution import (
    ConvLayer,
    PaddedConvolution,
    along_time,
    check_output,
    refuse_shape,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv1d(ConvLayer):
    """A convolution whose windows are steps on end, all channels of them."""

    FUNCTION: ClassVar[str] = "dd_conv1d_s8"

    @property
    def words(self) -> str:
        """``conv k5 s2``, and the activation that is a clamp."""
        return self.described("conv")


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneralConv1d(ConvLayer):
    """A convolution with dilation or in groups."""

    FUNCTION: ClassVar[str] = "dd_conv1d_general_s8"

    @property
    def groups(self) -> int:
        """Blocks of output channels, each of which reads input channels of its own."""
        return len(self.weights) // self.filters

    @property
    def words(self) -> str:
        """``conv k5 s2 d3 in 4 groups``."""
        return self.described("conv" if self.groups == 1 else f"conv in {self.groups} groups")

    def ordered(self, kernels: KernelSet) -> Int8s:
        """Return each block's weights by themselves."""
        blocks = self.weights.reshape(self.groups, self.filters, *self.weights.shape[1:])
        return np.concatenate([kernels.ordered(block) for block in blocks])


@dataclass(frozen=True, eq=False)
class Conv2D(PaddedConvolution):
    """A convolution: ``inputs`` is one tensor."""

    def lower(self) -> ConvLayer:
        """Choose the kernel, and make all constants final."""
        taps = self.places()
        groups = self.inputs[0].channels // self.weights.shape[2]
        layer = Conv1d if taps.dilation == groups == 1 else GeneralConv1d
        return layer(
            **self.final(),
            stride=taps.stride,
            dilation=taps.dilation,
            pad_before=taps.before,
            filters=len(self.weights) // groups,
        )


def read(node: Node) -> Conv2D:
    """Read and check a CONV_2D."""
    source, filters, bias = checks.operands(node, 2, 3)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    constant, scales = checks.constant_weights(node, filters)
    weights, taps, axis = along_time(node, x, constant)
    channels = weights.shape[2]
    if channels == 0 or x.channels % channels or len(weights) % (x.channels // channels):
        refuse_shape(node, f"its weights are {list(constant.shape)} for {x.channels} channels")
    check_output(node, x, y, {axis: taps.windows(x.time), 3: len(weights)})
    return Conv2D(
        node=node,
        inputs=(x,),
        output=y,
        weights=weights,
        weight_scales=scales,
        bias=checks.constant_bias(node, bias, len(weights)),
        activation=checks.fused_activation(node),
        taps=taps,
    )
