"""RESHAPE of one segment; a pass drops it, because the values stay where they are."""

from dataclasses import dataclass

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op


@dataclass(frozen=True, eq=False)
class Reshape(Op):
    """The same values in the same order under another shape."""


def read(node: Node) -> Reshape:
    """Read and check a RESHAPE: one segment, as many values, the same quantisation."""
    source, shape = checks.operands(node, 1, 2)
    x = checks.activation(node, source)
    y = checks.activation(node, node.outputs[0])
    checks.same_quantization(node, x, y)
    if len(y.shape) < 2 or any(size != 1 for size in (y.shape[0], *y.shape[:-2])):
        node.refuse(
            f"{list(x.shape)} becomes {list(y.shape)}, which is not one segment",
            "Reshape to [1, values], [1, time, channels] or [1, 1, time, channels].",
        )
    if y.size != x.size:
        node.refuse(
            f"{list(x.shape)} becomes {list(y.shape)}, which has {y.size} values, not {x.size}",
            "It must keep every value; convert the network again.",
        )
    if shape is not None:
        _check_constant(node, shape, y)
    return Reshape(node, (x,), y)


def _check_constant(node: Node, shape: Tensor, y: Tensor) -> None:
    """Check that the shape which the interpreter reads is the output's; one size may be -1."""
    if shape.data is None or shape.type != "INT32":
        node.refuse(f'its shape "{shape.name}" is not an INT32 constant', "Use a fixed shape.")
    sizes = shape.data.reshape(-1).tolist()
    known = len(sizes) == len(y.shape) and sizes.count(-1) <= 1
    if not known or any(a not in (-1, b) for a, b in zip(sizes, y.shape, strict=True)):
        node.refuse(
            f'its shape "{shape.name}" is {sizes}, its output {list(y.shape)}',
            "They must agree; convert the network again.",
        )
