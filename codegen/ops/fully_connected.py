"""FULLY_CONNECTED, as TFLite's reference kernel computes it: the sum times a double, rounded.

TFLite-Micro and TFLite's optimised kernels round it twice in fixed point, as a convolution; the two
differ by one in a few codes of 10,000. The contract is the reference kernel.
"""

from dataclasses import dataclass
from typing import ClassVar, NoReturn

import numpy as np

from dynadeep.codegen import c_text
from dynadeep.codegen.accumulators import accumulator_bounds, check_accumulators
from dynadeep.codegen.fixed_point import INT32_MAX, is_rounded_once, split_multiplier
from dynadeep.codegen.graph import Int8s, Int32s, Node, Tensor
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.convolution import PLACE_LIMIT, folded_bias
from dynadeep.codegen.ops.operation import Op

OPTIONS = ("FusedActivationFunction", "WeightsFormat", "KeepNumDims")
SINGLE_COST = {"plain": 1.4, "lanes": 1.7, "dsp": 1.0, "helium": 1.7}
"""Of one output step, for a multiply-accumulate, against a convolution's."""

RESULT_LIMIT = 1 << 30  # of the scaled sum: it stays within int32 with the zero point


@dataclass(frozen=True, eq=False, kw_only=True)
class FullyConnected(Layer):
    """Rows of weights, each over ``kernel`` steps of the input, which no other output step reads.

    ``bias`` has the input's zero point folded in. ``multiplier``, ``fraction`` and ``shift`` are a
    ``split_multiplier`` for each output channel, or one for all.
    """

    FUNCTION: ClassVar[str] = "dd_fully_connected_s8"
    STRUCT: ClassVar[str] = "dd_fully_connected"

    weights: Int8s  # [out_channels, kernel, in_channels]
    weight_scales: tuple[float, ...]
    bias: Int32s  # [out_channels]
    multiplier: Int32s  # [out_channels] or [1]
    fraction: Int32s  # its bits are those of a uint32
    shift: Int8s
    low: int  # clamp of the requantised code
    high: int
    activation: str

    @property
    def kernel(self) -> int:
        """Input steps that an output step reads."""
        return int(self.weights.shape[1])

    @property
    def single(self) -> bool:
        """Whether it has one output step, for which the kernels have weights in another order."""
        return self.output.time == 1

    @property
    def windows(self) -> tuple[Window, ...]:
        """What an output step reads."""
        return (Window(self.kernel, self.kernel, 0),)

    @property
    def words(self) -> str:
        """``fully connected``, and the activation that is a clamp."""
        words = "fully connected" if self.kernel == 1 else f"fully connected k{self.kernel}"
        return words if self.activation == "NONE" else f"{words}, {self.activation}"

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        return self.output.time * int(self.weights.size)

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about how many instructions one run takes on a core."""
        factor = SINGLE_COST[kernels.name] if self.single else 1.0
        return super().instructions(kernels, cpu) * factor

    def constants(self, kernels: KernelSet) -> dict[str, Int8s | Int32s]:
        """Return the weights in a kernel set's order, and what turns sums into codes."""
        order = kernels.ordered_single if self.single else kernels.ordered
        return {
            "weights": order(self.weights),
            "bias": self.bias,
            "multiplier": self.multiplier,
            "fraction": self.fraction,
            "shift": self.shift,
        }

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_fully_connected``."""
        return {
            "in_channels": self.inputs[0].channels,
            "out_channels": len(self.weights),
            "kernel": self.kernel,
            "per_channel": int(len(self.multiplier) > 1),
            "single": "true" if self.single else "false",
            "out_zero_point": self.computed.zero_point,
            "out_min": self.low,
            "out_max": self.high,
        }

    def remark(self, kind: str) -> str:
        """Return the weights' scales."""
        return f"scale {c_text.span(self.weight_scales)}" if kind == "weights" else ""


@dataclass(frozen=True, eq=False)
class FullyConnectedOp(Op):
    """A matrix over all values of the input, or over each of several rows of them."""

    weights: Int8s  # [out_channels, values]
    weight_scales: tuple[float, ...]  # float32 values, [out_channels]
    bias: Int32s  # [out_channels]
    activation: str

    def flattens(self, source: Tensor) -> bool:
        """Return whether whole steps of ``source`` are the values of an output step."""
        kernel, rest = divmod(int(self.weights.shape[1]), source.channels)
        return rest == 0 and 0 < kernel <= PLACE_LIMIT and source.time % kernel == 0

    def lower(self) -> FullyConnected:
        """Fold the zero point into the bias, and prove sums and rounding."""
        source, values = self.inputs[0], self.weights.shape[1]
        kernel, rest = divmod(values, source.channels)
        if rest or source.time % kernel or kernel > PLACE_LIMIT:
            self.node.refuse(
                f"its {values} weights of an output are no whole steps of [{source.time}, "
                f"{source.channels}]",
                "Flatten the whole input in front of it, or apply it to each step.",
            )
        bounds = accumulator_bounds(self.weights, source.zero_point, self.bias)
        multiplier, fraction, shift = self._multipliers(bounds)
        check_accumulators(self.node, bounds, np.zeros(len(bounds), np.int8))
        low, high = checks.activation_codes(self.node, self.activation, self.output)
        return FullyConnected(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            weights=self.weights.reshape(-1, kernel, source.channels),
            weight_scales=self.weight_scales,
            bias=folded_bias(self.weights, self.bias, source.zero_point),
            multiplier=multiplier,
            fraction=fraction,
            shift=shift,
            low=low,
            high=high,
            activation=self.activation,
        )

    def _multipliers(self, bounds: list[int]) -> tuple[Int32s, Int32s, Int8s]:
        """Return the multiplier of each channel, or of all where they are one."""
        scales = [self.inputs[0].scale * scale / self.output.scale for scale in self.weight_scales]
        if len(set(scales)) == 1:
            scales, bounds = scales[:1], [max(bounds)]
        split = [
            self._multiplier(scale, bound) for scale, bound in zip(scales, bounds, strict=True)
        ]
        mantissas, fractions, shifts = zip(*split, strict=True)
        return (
            np.array(mantissas, np.int32),
            np.array(fractions, np.uint32).view(np.int32),
            np.array(shifts, np.int8),
        )

    def _multiplier(self, scale: float, bound: int) -> tuple[int, int, int]:
        """Return the split multiplier that gives TFLite's result for every sum up to ``bound``."""
        try:
            split = split_multiplier(scale)
        except OverflowError:
            split = None
        if split is None or scale * bound >= RESULT_LIMIT:
            self.node.refuse(
                f"its scales give the multiplier {scale:g}, which takes its sums beyond int32",
                checks.QUANTISE,
            )
        if not is_rounded_once(scale, min(bound, INT32_MAX)):
            self.node.refuse(
                f"its multiplier {scale!r} puts a sum so close to a half that a double's last bit "
                "decides how it is rounded",
                "Quantise it again with other data.",
            )
        return split


def read(node: Node) -> FullyConnectedOp:
    """Read and check a FULLY_CONNECTED."""
    source, filters, bias = checks.operands(node, 2, 3)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    weights, scales = checks.constant_weights(node, filters)
    if node.options.get("WeightsFormat", 0) != 0:
        node.refuse("its weights are shuffled for one kind of processor", checks.CONVERT)
    if weights.ndim != 2 or weights.size == 0 or x.size % weights.shape[1]:
        _refuse_shape(node, x, y, weights)
    expected = (x.size // weights.shape[1], len(weights))
    if (y.time, y.channels) != expected or not _keeps(node, x, y, weights):
        _refuse_shape(node, x, y, weights)
    return FullyConnectedOp(
        node=node,
        inputs=(x,),
        output=y,
        weights=weights,
        weight_scales=scales,
        bias=checks.constant_bias(node, bias, len(weights)),
        activation=checks.fused_activation(node),
    )


def _keeps(node: Node, x: Tensor, y: Tensor, weights: Int8s) -> bool:
    """Return whether the output has the dimensions that the options say."""
    if node.options.get("KeepNumDims", False):
        return y.shape == (*x.shape[:-1], len(weights)) and x.channels == weights.shape[1]
    return y.shape == (x.size // weights.shape[1], len(weights))


def _refuse_shape(node: Node, x: Tensor, y: Tensor, weights: Int8s) -> NoReturn:
    node.refuse(
        f"{list(x.shape)} by weights {list(weights.shape)} cannot give {list(y.shape)}",
        "Expected weights [outputs, values] whose values divide the input's.",
    )
