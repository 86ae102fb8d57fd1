"""PRELU: what is negative is multiplied by a slope of its channel, or of its own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynadeep.codegen.fixed_point import clamp_int8, requantize
from dynadeep.codegen.graph import Int8s, Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.pair import (
    Pair,
    PairLayer,
    PointwisePair,
    is_pointwise,
    operands_of,
    read_pair,
)


@dataclass(frozen=True, eq=False)
class Prelu(Pair):
    """The slopes are the second operand; each multiplier is a mantissa and a shift."""

    positive: tuple[int, int]
    negative: tuple[int, int]

    def compute(self, first: Int8s, second: Int8s) -> Int8s:
        """Requantise each code by the multiplier of its sign, a negative one times its slope."""
        x, slope = self.operands
        steps = first.astype(np.int64) - x.zero_point
        below = steps * (second.astype(np.int64) - slope.zero_point)
        scaled = np.where(
            steps >= 0, requantize(steps, *self.positive), requantize(below, *self.negative)
        )
        return clamp_int8(scaled + self.output.zero_point)

    def lower(self) -> PairLayer:
        """Return the layer."""
        x, slope = self.operands
        numbers: dict[str, int | str] = {
            "multiplier": self.positive[0],
            "slope_multiplier": self.negative[0],
            "shift": self.positive[1],
            "slope_shift": self.negative[1],
            "in_zero_point": x.zero_point,
            "slope_zero_point": slope.zero_point,
            "out_zero_point": self.output.zero_point,
        }
        return self.layer(SlopedRelu, numbers)


@dataclass(frozen=True, eq=False)
class PointwisePrelu(Prelu, PointwisePair):
    """One that a table can hold."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SlopedRelu(PairLayer):
    """A leaky ReLU of many slopes."""

    FUNCTION: ClassVar[str] = "dd_prelu_s8"
    STRUCT: ClassVar[str] = "dd_prelu"
    PER_VALUE: ClassVar = {"plain": 94.0, "lanes": 42.0, "dsp": 41.0, "helium": 48.0}


def read(node: Node) -> Prelu:
    """Read and check a PRELU."""
    inputs, constant, y, swapped = read_pair(node)
    if swapped or inputs[0].size != y.size:
        node.refuse("its input is a constant or smaller than its output", checks.CONVERT)
    x, slope = operands_of(inputs, constant)
    with np.errstate(over="ignore", under="ignore"):
        scale = np.float32(x.scale) * np.float32(slope.scale) / np.float32(y.scale)
    positive = checks.code_multiplier(node, x, y)
    negative = checks.multiplier(node, float(scale), checks.PRODUCT_SHIFT_LIMIT)
    kind = PointwisePrelu if is_pointwise(inputs, constant, y) else Prelu
    return kind(node, inputs, y, constant, positive, negative)
