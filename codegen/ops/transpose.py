"""TRANSPOSE: nothing moves, or time and channels change places."""

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.ops import axes, checks
from dynadeep.codegen.ops.copy import Selection, Turn
from dynadeep.codegen.ops.operation import Op
from dynadeep.codegen.ops.reshape import checked


def read(node: Node) -> Op:
    """Read and check a TRANSPOSE of a series."""
    source, order = checks.operands(node, 2, 2)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    permutation = axes.one_per_axis(node, axes.constants(node, order, "order"), x, "order")
    rank = len(x.shape)
    if sorted(permutation) != list(range(rank)) or y.shape != _moved(x, permutation):
        node.refuse(
            f"{list(x.shape)} in the order {permutation} is not {list(y.shape)}", checks.CONVERT
        )
    wide = [axis for axis in permutation if x.shape[axis] != 1]
    if wide == sorted(wide):
        return checked(node, x, y)
    checks.same_quantization(node, x, y)
    return Turn(node, (x,), y, Selection(x.time, x.channels))


def _moved(x: Tensor, permutation: list[int]) -> tuple[int, ...]:
    return tuple(x.shape[axis] for axis in permutation)
