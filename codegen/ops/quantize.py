"""QUANTIZE from int8 to int8 of another scale."""

from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.fixed_point import clamp_int8, requantize
from dynadeep.codegen.graph import Int8s, Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Pointwise


@dataclass(frozen=True, eq=False)
class Quantize(Pointwise):
    """The same values in steps of another size."""

    mantissa: int
    shift: int

    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Requantise the codes."""
        steps = codes[0].astype(np.int64) - self.inputs[0].zero_point
        scaled = requantize(steps, self.mantissa, self.shift)
        return clamp_int8(scaled + self.output.zero_point)


def read(node: Node) -> Quantize:
    """Read and check a QUANTIZE between two int8 tensors."""
    x, y = checks.one_to_one(node)
    # Here TFLite widens the scales to double before it divides.
    mantissa, shift = checks.multiplier(node, x.scale / y.scale, checks.CODE_SHIFT_LIMIT)
    return Quantize(node, (x,), y, mantissa, shift)
