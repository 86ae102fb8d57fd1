"""SPLIT, SPLIT_V and UNPACK along time or channels: a slice for each output."""

from itertools import accumulate

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.ops import axes, checks, reshape
from dynadeep.codegen.ops.copy import Selection, select
from dynadeep.codegen.ops.operation import Op


def read_split(node: Node) -> tuple[Op, ...]:
    """Read and check a SPLIT into equal parts."""
    axis, source = _inputs(node, 2)
    return _parts(node, source, axes.constants(node, axis, "axis"))


def read_split_v(node: Node) -> tuple[Op, ...]:
    """Read and check a SPLIT_V; its sizes are those of its outputs."""
    source, _, axis = _inputs(node, 3)
    return _parts(node, source, axes.constants(node, axis, "axis"))


def read_unpack(node: Node) -> tuple[Op, ...]:
    """Read and check an UNPACK, whose outputs lack the dimension that it takes apart."""
    (source,) = _inputs(node, 1)
    return _parts(node, source, [node.options.get("Axis", 0)], unpack=True)


def _inputs(node: Node, count: int) -> tuple[Tensor | None, ...]:
    if len(node.inputs) != count or not node.outputs:
        node.refuse(f"has {len(node.inputs)} inputs, expected {count}", checks.CONVERT)
    return node.inputs


def _parts(
    node: Node, source: Tensor | None, axis: list[int], *, unpack: bool = False
) -> tuple[Op, ...]:
    """Return one operator for each output, which lie one behind the other on the axis."""
    x = checks.series(node, source)
    outputs = [checks.series(node, output) for output in node.outputs]
    rank = len(x.shape)
    if len(axis) != 1:
        node.refuse(f"its axis is {axis}, expected one", checks.CONVERT)
    along = axes.axis_of(node, axis[0], rank)
    sizes = [1 if unpack or len(y.shape) != rank else y.shape[along] for y in outputs]
    if sum(sizes) != x.shape[along]:
        node.refuse(
            f"{list(x.shape)} on axis {along} does not come apart into {sizes}", checks.CONVERT
        )
    if len(outputs) == 1:
        return (reshape.checked(node, x, outputs[0]),)
    starts = accumulate(sizes, initial=0)
    return tuple(
        _part(node, x, y, start, size, channels=along == rank - 1)
        for y, start, size in zip(outputs, starts, sizes, strict=False)
    )


def _part(node: Node, x: Tensor, y: Tensor, start: int, size: int, *, channels: bool) -> Op:
    if channels:
        return select(node, x, y, Selection(x.time, size, skip=start), "split")
    return select(node, x, y, Selection(size, x.channels, before=-start), "split")
