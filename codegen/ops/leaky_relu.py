"""LEAKY_RELU: one multiplier for what is positive, another for what is negative."""

from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.fixed_point import clamp_int8, requantize
from dynadeep.codegen.graph import Int8s, Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Pointwise


@dataclass(frozen=True, eq=False)
class LeakyRelu(Pointwise):
    """Both multipliers as a mantissa and a shift; that of alpha may be negative."""

    positive: tuple[int, int]
    negative: tuple[int, int]

    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Requantise each code by the multiplier of its sign."""
        steps = codes[0].astype(np.int64) - self.inputs[0].zero_point
        scaled = np.where(
            steps >= 0, requantize(steps, *self.positive), requantize(steps, *self.negative)
        )
        return clamp_int8(scaled + self.output.zero_point)


def read(node: Node) -> LeakyRelu:
    """Read and check a LEAKY_RELU."""
    x, y = checks.one_to_one(node)
    negative = checks.code_multiplier(node, x, y, node.options.get("Alpha", 0.0))
    return LeakyRelu(node, (x,), y, checks.code_multiplier(node, x, y), negative)
