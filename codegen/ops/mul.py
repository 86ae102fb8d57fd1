"""MUL of two int8 tensors of one shape."""

from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.fixed_point import requantize
from dynadeep.codegen.graph import Int8s, Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Pointwise

SHIFT_LIMIT = 14  # two codes less their zero points make 17 bits; more would overflow int32


@dataclass(frozen=True, eq=False)
class Mul(Pointwise):
    """The product of two tensors, value by value."""

    mantissa: int
    shift: int
    low: int
    high: int

    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Multiply the codes less their zero points, requantise, clamp."""
        first, second = (
            values.astype(np.int64) - tensor.zero_point
            for values, tensor in zip(codes, self.inputs, strict=True)
        )
        scaled = requantize(first * second, self.mantissa, self.shift) + self.output.zero_point
        clamped = np.clip(scaled, self.low, self.high)
        return clamped.astype(np.int8)


def read(node: Node) -> Mul:
    """Read and check a MUL."""
    first, second = (checks.activation(node, tensor) for tensor in checks.operands(node, 2, 2))
    y = checks.activation(node, node.outputs[0])
    if not first.shape == second.shape == y.shape:
        node.refuse(
            f"it multiplies {list(first.shape)} by {list(second.shape)}",
            "Only tensors of one shape can be multiplied.",
        )
    # TFLite multiplies and divides these scales in float32, and only then widens to double.
    with np.errstate(over="ignore", under="ignore"):
        scale = np.float32(first.scale) * np.float32(second.scale) / np.float32(y.scale)
    mantissa, shift = checks.multiplier(node, float(scale), SHIFT_LIMIT)
    low, high = checks.activation_codes(node, checks.fused_activation(node), y)
    return Mul(node, (first, second), y, mantissa, shift, low, high)
