"""RESHAPE that only flattens; a pass drops it."""

from dataclasses import dataclass

from dynadeep.codegen.graph import Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op


@dataclass(frozen=True, eq=False)
class Reshape(Op):
    """The same values in the same order under another shape."""


def read(node: Node) -> Reshape:
    """Read and check a RESHAPE: one segment, as many values, the same quantisation."""
    source, _ = checks.operands(node, 1, 2)
    x = checks.activation(node, source)
    y = checks.activation(node, node.outputs[0])
    checks.same_quantization(node, x, y)
    if y.shape != (1, x.size):
        node.refuse(
            f"{list(x.shape)} becomes {list(y.shape)}, expected [1, {x.size}]",
            "Only flattening before a dense layer can be dropped.",
        )
    return Reshape(node, (x,), y)
