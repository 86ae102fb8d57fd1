"""ABS of codes less their zero point."""

from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.fixed_point import clamp_int8, requantize
from dynadeep.codegen.graph import Int8s, Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Pointwise


@dataclass(frozen=True, eq=False)
class Abs(Pointwise):
    """The distance from zero, in steps of the output."""

    mantissa: int
    shift: int

    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Requantise the distances."""
        steps = np.abs(codes[0].astype(np.int64) - self.inputs[0].zero_point)
        scaled = requantize(steps, self.mantissa, self.shift)
        return clamp_int8(scaled + self.output.zero_point)


def read(node: Node) -> Abs:
    """Read and check an ABS."""
    x, y = checks.one_to_one(node)
    mantissa, shift = checks.code_multiplier(node, x, y)
    return Abs(node, (x,), y, mantissa, shift)
