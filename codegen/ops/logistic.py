"""LOGISTIC on int8, as TFLite's reference kernel computes it: a table filled in float32.

TFLite-Micro computes the same function in fixed point; over random scales the two differ by one in
about one code of 150,000. The contract is the reference kernel.
"""

from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.fixed_point import clamp_int8
from dynadeep.codegen.graph import Int8s, Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Pointwise

OUTPUT_SCALE, OUTPUT_ZERO_POINT = 1 / 256, -128  # demanded by TFLite's int8 specification


@dataclass(frozen=True, eq=False)
class Logistic(Pointwise):
    """The sigmoid of one tensor."""

    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Return round(256 / (1 + exp(-x))) - 128, each step in float32 as the reference does."""
        source = self.inputs[0]
        steps = codes[0].astype(np.float32) - np.float32(source.zero_point)
        # numpy's own float32 exp is less exact than the C library's; rounding the double is equal.
        with np.errstate(over="ignore", under="ignore"):
            x = np.float32(source.scale) * steps
            power = np.exp(-x.astype(np.float64)).astype(np.float32)
        sigmoid = np.float32(1) / (np.float32(1) + power)
        rounded = np.floor(sigmoid * np.float32(256) + np.float32(0.5))
        return clamp_int8(rounded.astype(np.int64) + OUTPUT_ZERO_POINT)


def read(node: Node) -> Logistic:
    """Read and check a LOGISTIC."""
    (source,) = checks.operands(node, 1, 1)
    x = checks.activation(node, source)
    y = checks.activation(node, node.outputs[0])
    if x.shape != y.shape or (y.scale, y.zero_point) != (OUTPUT_SCALE, OUTPUT_ZERO_POINT):
        node.refuse(
            f"its output is {list(y.shape)} with scale {y.scale:g} and zero point {y.zero_point}, "
            f"expected {list(x.shape)}, 1/256 and -128",
            checks.QUANTISE,
        )
    return Logistic(node, (x,), y)
