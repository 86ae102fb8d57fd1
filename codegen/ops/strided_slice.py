"""SLICE and STRIDED_SLICE along time and channels."""

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.ops import axes, checks
from dynadeep.codegen.ops.copy import Selection, select
from dynadeep.codegen.ops.operation import Op

OPTIONS = ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask")


def read_slice(node: Node) -> Op:
    """Read and check a SLICE; a size of -1 means all that is left."""
    source, begin, size = checks.operands(node, 3, 3)
    x = checks.series(node, source)
    begins = axes.one_per_axis(node, axes.constants(node, begin, "begin"), x, "begin")
    sizes = axes.one_per_axis(node, axes.constants(node, size, "size"), x, "size")
    ranges = []
    for whole, first, count in zip(x.shape, begins, sizes, strict=True):
        end = whole if count == -1 else first + count
        if not 0 <= first < end <= whole:
            node.refuse(f"it takes {sizes} from {begins} on of {list(x.shape)}", checks.CONVERT)
        ranges.append(range(first, end))
    return _selected(node, x, ranges)


def read_strided(node: Node) -> Op:
    """Read and check a STRIDED_SLICE with steps forward; its masks are TFLite's."""
    source, begin, end, strides = checks.operands(node, 4, 4)
    x = checks.series(node, source)
    begins = axes.constants(node, begin, "begin")
    ends = axes.constants(node, end, "end")
    steps = axes.constants(node, strides, "strides")
    numbers = list(zip(begins, ends, steps, strict=False))
    adds = [bool(node.options.get("NewAxisMask", 0) >> i & 1) for i in range(len(numbers))]
    ranges: list[range] = []
    missing = len(x.shape) - len(numbers) + sum(adds)
    if missing < 0 or not len(begins) == len(ends) == len(steps):
        node.refuse(f"it slices {len(begins)} dimensions of {list(x.shape)}", checks.CONVERT)
    for i, bounds in enumerate(numbers):
        if node.options.get("EllipsisMask", 0) >> i & 1:
            ranges += _wholes(x, len(ranges), missing + 1)
        elif not adds[i]:
            ranges.append(_range(node, i, x.shape[len(ranges)], bounds))
    return _selected(node, x, ranges + _wholes(x, len(ranges), len(x.shape) - len(ranges)))


def _wholes(x: Tensor, axis: int, count: int) -> list[range]:
    """Return all of ``count`` dimensions from ``axis`` on."""
    return [range(size) for size in x.shape[axis : axis + count]]


def _range(node: Node, index: int, whole: int, bounds: tuple[int, int, int]) -> range:
    """Return what is taken of one dimension: numbers below 0 count from its end."""
    begin, end, stride = bounds
    if stride < 1:
        node.refuse(f"its stride {index} is {stride}", "Only steps forward can be taken.")
    bit = 1 << index
    first = begin + whole if begin < 0 else begin
    first = 0 if node.options.get("BeginMask", 0) & bit else max(first, 0)
    if node.options.get("ShrinkAxisMask", 0) & bit:
        selected = range(first, first + 1)
    else:
        last = end + whole if end < 0 else end
        last = whole if node.options.get("EndMask", 0) & bit else min(last, whole)
        selected = range(first, last, stride)
    if len(selected) == 0 or not 0 <= selected[0] <= selected[-1] < whole:
        node.refuse(
            f"it takes {begin} to {end} of a dimension of {whole}: nothing, or what is not there",
            checks.CONVERT,
        )
    return selected


def _selected(node: Node, x: Tensor, ranges: list[range]) -> Op:
    """Return the operator that takes one range of each dimension."""
    y = checks.series(node, node.outputs[0])
    time = ranges[checks.time_axis(x)] if len(ranges) > 1 else range(1)
    channels = ranges[-1]
    selection = Selection(
        steps=len(time),
        channels=len(channels),
        stride=time.step if len(time) > 1 else 1,
        before=-time.start,
        skip=channels.start,
        every=channels.step if len(channels) > 1 else 1,
    )
    return select(node, x, y, selection, "slice")
