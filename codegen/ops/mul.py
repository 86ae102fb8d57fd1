"""MUL of two int8 tensors, or of one and a constant."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynadeep.codegen.fixed_point import requantize
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
class Mul(Pair):
    """The product of two operands, value by value."""

    mantissa: int
    shift: int
    low: int
    high: int

    def compute(self, first: Int8s, second: Int8s) -> Int8s:
        """Multiply the codes less their zero points, requantise, clamp."""
        left, right = self.operands
        factors = first.astype(np.int64) - left.zero_point, second.astype(np.int64)
        product = factors[0] * (factors[1] - right.zero_point)
        codes = requantize(product, self.mantissa, self.shift) + self.output.zero_point
        return np.clip(codes, self.low, self.high).astype(np.int8)

    def lower(self) -> PairLayer:
        """Return the layer."""
        first, second = self.operands
        numbers: dict[str, int | str] = {
            "multiplier": self.mantissa,
            "shift": self.shift,
            "first_zero_point": first.zero_point,
            "second_zero_point": second.zero_point,
            "out_zero_point": self.output.zero_point,
            "out_min": self.low,
            "out_max": self.high,
        }
        return self.layer(Product, numbers)


@dataclass(frozen=True, eq=False)
class PointwiseMul(Mul, PointwisePair):
    """One that a table can hold."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Product(PairLayer):
    """A product."""

    FUNCTION: ClassVar[str] = "dd_mul_s8"
    STRUCT: ClassVar[str] = "dd_multiplication"
    PER_VALUE: ClassVar = {"plain": 63.0, "lanes": 26.0, "dsp": 14.0, "helium": 9.0}


def read(node: Node) -> Mul:
    """Read and check a MUL."""
    inputs, constant, y, _ = read_pair(node)
    first, second = operands_of(inputs, constant)
    # TFLite multiplies and divides these scales in float32, and only then widens to double.
    with np.errstate(over="ignore", under="ignore"):
        scale = np.float32(first.scale) * np.float32(second.scale) / np.float32(y.scale)
    mantissa, shift = checks.multiplier(node, float(scale), checks.PRODUCT_SHIFT_LIMIT)
    low, high = checks.activation_codes(node, checks.fused_activation(node), y)
    kind = PointwiseMul if is_pointwise(inputs, constant, y) else Mul
    return kind(node, inputs, y, constant, mantissa, shift, low, high)
