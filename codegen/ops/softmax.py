"""SOFTMAX over the channels of each step, in the fixed point of TFLite's reference kernel."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynadeep.codegen.fixed_point import (
    INT32_MAX,
    Int64s,
    divide_by_power_of_two,
    quantize_multiplier,
    requantize,
)
from dynadeep.codegen.graph import Int8s, Int32s, Node
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer, Overlap, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op

OUTPUT_SCALE, OUTPUT_ZERO_POINT = 1 / 256, -128  # demanded by TFLite's int8 specification
CHANNELS_LIMIT = 511  # more of one code are more than TFLite's reference can divide by: it aborts
INTEGER_BITS = 5  # of the exponent: from -32 to 0, in steps of 2**-26
FRACTION_BITS = 31 - INTEGER_BITS
SMALLEST_STEP = 2.0**-FRACTION_BITS
LARGEST_STEP = 2.0 ** (INTEGER_BITS - 1)  # from which on only the largest code counts

POWERS = {
    -2: 1672461947,
    -1: 1302514674,
    0: 790015084,
    1: 290630308,
    2: 39332535,
    3: 720401,
    4: 242,
}
"""exp(-2**n) in steps of 2**-31."""


@dataclass(frozen=True, eq=False)
class Softmax(Op):
    """Each channel's share of the sum of all channels' powers.

    ``powers`` are exp(-beta x scale x d) for differences d of 0, 1 and so on, in steps of 2**-31;
    beyond them it is 0.
    """

    powers: Int32s

    def lower(self) -> Layer:
        """Return the layer."""
        return Shares(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            powers=self.powers,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Shares(Layer):
    """Each channel's share of the sum of all channels' powers."""

    FUNCTION: ClassVar[str] = "dd_softmax_s8"
    STRUCT: ClassVar[str] = "dd_softmax"
    OVERLAP: ClassVar[Overlap] = "step"

    powers: Int32s

    @property
    def windows(self) -> tuple[Window, ...]:
        """One step."""
        return (Window(1, 1, 0),)

    @property
    def words(self) -> str:
        """``softmax``."""
        return "softmax"

    def constants(self, kernels: KernelSet) -> dict[str, Int8s | Int32s]:
        """Return the powers."""
        return {"powers": self.powers}

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_softmax``."""
        return {"channels": self.output.channels, "count": len(self.powers)}

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about what it takes: three passes over each step, and a division."""
        per_value, per_step = (114.0, 620.0) if kernels.name == "plain" else (57.0, 180.0)
        return per_value * self.output.size + per_step * self.output.time


def read(node: Node) -> Softmax:
    """Read and check a SOFTMAX."""
    x, y = checks.one_to_one(node)
    if (y.scale, y.zero_point) != (OUTPUT_SCALE, OUTPUT_ZERO_POINT):
        node.refuse(
            f"its output has scale {y.scale:g} and zero point {y.zero_point}, "
            "expected 1/256 and -128",
            checks.QUANTISE,
        )
    if x.channels > CHANNELS_LIMIT:
        node.refuse(
            f"it is over {x.channels} channels, TFLite's reference can sum {CHANNELS_LIMIT}",
            "Use fewer channels.",
        )
    step = float(node.options.get("Beta", 1.0)) * x.scale
    if not step > SMALLEST_STEP:
        node.refuse(
            f"its beta times its input's scale is {step:g}, at most 2^-{FRACTION_BITS}",
            checks.QUANTISE,
        )
    return Softmax(node, (checks.series(node, x),), y, powers_of(step))


def powers_of(step: float) -> Int32s:
    """Return exp(-``step`` x d), in steps of 2**-31, for d = 0 to 255 at most, without the zeros.

    Differences whose exponent leaves its 5 bits of integer count as nothing.
    """
    if step >= LARGEST_STEP:
        return np.array([INT32_MAX], np.int32)
    mantissa, shift = quantize_multiplier(step * (1 << FRACTION_BITS))
    furthest = ((1 << INTEGER_BITS) - 1) * (1 << FRACTION_BITS) // (1 << shift)
    differences = np.arange(min(furthest, 255) + 1, dtype=np.int64)
    powers = exp_below_zero(requantize(-differences, mantissa, shift))
    return np.trim_zeros(powers, "b").astype(np.int32)


def exp_below_zero(exponents: Int64s) -> Int64s:
    """Return exp of numbers from -32 to 0 in steps of 2**-26, in steps of 2**-31.

    A Taylor series around -1/8 for what is left of the last quarter, and a product for each bit
    before it.
    """
    quarter = 1 << (FRACTION_BITS - 2)
    rest = (exponents & (quarter - 1)) - quarter
    powers = _exp_of_quarter(rest << INTEGER_BITS)
    quarters = rest - exponents
    for place, factor in POWERS.items():
        is_set = (quarters & (1 << (FRACTION_BITS + place))) != 0
        powers = np.where(is_set, _times(powers, factor), powers)
    return np.where(exponents == 0, INT32_MAX, powers)


def _exp_of_quarter(exponents: Int64s) -> Int64s:
    """Return exp of numbers from -1/4 to 0, both in steps of 2**-31."""
    exp_of_eighth, third = 1895147668, 715827883
    x = exponents + (1 << 28)
    square = _times(x, x)
    fourth = divide_by_power_of_two(_times(square, square), 2)
    cubes = _times(fourth + _times(square, x), third) + square
    higher = divide_by_power_of_two(cubes, 1)
    powers: Int64s = exp_of_eighth + _times(x + higher, exp_of_eighth)
    return powers


def _times(values: Int64s, factors: Int64s | int) -> Int64s:
    """Return the upper half of twice the product, rounded to nearest, halves upward."""
    high: Int64s = (values * factors + (1 << 30)) >> 31
    return high
