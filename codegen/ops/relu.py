"""RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1: a requantisation with a clamp."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.fixed_point import INT8_MAX, INT8_MIN, code_of, requantize
from dynadeep.codegen.graph import Int8s, Node, Tensor
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Pointwise

BOUNDS: Mapping[str, tuple[float, float | None]] = {
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU_0_TO_1": (0.0, 1.0),
}


@dataclass(frozen=True, eq=False)
class Relu(Pointwise):
    """One tensor, clamped in the output's quantisation."""

    mantissa: int
    shift: int
    low: int
    high: int

    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Requantise the codes, then clamp."""
        steps = codes[0].astype(np.int64) - self.inputs[0].zero_point
        scaled = requantize(steps, self.mantissa, self.shift) + self.output.zero_point
        return np.clip(scaled, self.low, self.high).astype(np.int8)


def read(node: Node) -> Relu:
    """Read and check one of the four."""
    x, y = checks.one_to_one(node)
    mantissa, shift = checks.code_multiplier(node, x, y)
    return Relu(node, (x,), y, mantissa, shift, *_clamp(node, y, *BOUNDS[node.kind]))


def _clamp(node: Node, y: Tensor, low: float, high: float | None) -> tuple[int, int]:
    """Return the codes that the output is clamped to, the lower first, as the reference does."""
    try:
        least = max(INT8_MIN, code_of(low, y.scale, y.zero_point))
        most = INT8_MAX if high is None else min(INT8_MAX, code_of(high, y.scale, y.zero_point))
    except OverflowError as error:
        node.refuse(f"{error}, where its {node.kind} ends", checks.QUANTISE)
    return least, most
