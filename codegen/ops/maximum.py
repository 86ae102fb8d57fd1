"""MAXIMUM and MINIMUM of two int8 tensors, or of one and a constant."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

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
class Maximum(Pair):
    """The larger of two operands' codes, or the smaller; all have one quantisation."""

    def compute(self, first: Int8s, second: Int8s) -> Int8s:
        """Compare the codes."""
        pick = np.maximum if self.node.kind == "MAXIMUM" else np.minimum
        codes: Int8s = pick(first, second)
        return codes

    def lower(self) -> PairLayer:
        """Return the layer."""
        return self.layer(Larger, {"flip": 0 if self.node.kind == "MAXIMUM" else -1})


@dataclass(frozen=True, eq=False)
class PointwiseMaximum(Maximum, PointwisePair):
    """One that a table can hold."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Larger(PairLayer):
    """The larger codes, or the smaller."""

    FUNCTION: ClassVar[str] = "dd_maximum_s8"
    STRUCT: ClassVar[str] = "dd_maximum"
    PER_VALUE: ClassVar = {"plain": 16.6, "lanes": 15.0, "dsp": 3.3, "helium": 1.5}


def read(node: Node) -> Maximum:
    """Read and check a MAXIMUM or a MINIMUM."""
    inputs, constant, y, _ = read_pair(node)
    for operand in operands_of(inputs, constant):
        checks.same_quantization(node, operand, y)
    kind = PointwiseMaximum if is_pointwise(inputs, constant, y) else Maximum
    return kind(node, inputs, y, constant)
