"""Lowerings of what moves numbers, or only says that their dimensions mean something else."""

import math

from dynadeep.export.onnx_node import Node, Outputs
from dynadeep.export.onnx_values import ONE, LayoutError, Value, reshaped
from dynadeep.export.packages import tensorflow


def concat(node: Node) -> Outputs:
    """Lower Concat along time or channels."""
    values = [node.value(index) for index in range(len(node.inputs))]
    axis = int(node.attributes["axis"])
    kinds = {value.axis(axis) for value in values}
    if len(kinds) != 1 or any(value.layout != values[0].layout for value in values):
        raise LayoutError(f"joins {[value.layout for value in values]}")
    return (values[0].having(tensorflow().concat([v.tensor for v in values], kinds.pop())),)


def split(node: Node) -> Outputs:
    """Lower Split along time or channels."""
    x = node.value()
    axis = int(node.attributes.get("axis", 0))
    count = int(node.attributes.get("num_outputs", node.outputs))
    length = x.shape[axis]
    sizes = [min(-(-length // count), length - i * -(-length // count)) for i in range(count)]
    if node.has(1, "split"):
        sizes = [int(size) for size in node.constant(1, "split").reshape(-1)]
    parts = tensorflow().split(x.tensor, sizes, x.axis(axis))
    return tuple(x.having(part) for part in parts)


def slice_(node: Node) -> Outputs:
    """Lower Slice along time or channels."""
    x = node.value()
    starts, ends = node.constant(1, "starts").reshape(-1), node.constant(2, "ends").reshape(-1)
    axes = node.constant(3, "axes").reshape(-1) if node.has(3, "axes") else range(len(starts))
    steps = node.constant(4).reshape(-1) if node.has(4) else [1] * len(starts)
    cuts = [slice(None)] * 4
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = x.shape[int(axis)]
        if int(step) < 1:
            node.refuse(f"its step is {step}, 1 and more run")
        begin, stop, stride = slice(int(start), int(end), int(step)).indices(size)
        if (begin, stop, stride) != (0, size, 1):
            cuts[x.axis(int(axis))] = slice(begin, stop, stride)
    return (x.having(x.tensor[tuple(cuts)]),)


def pad(node: Node) -> Outputs:
    """Lower Pad by a constant or by reflection."""
    x = node.value()
    mode = node.attributes.get("mode", b"constant").decode()
    amounts = [int(n) for n in node.constant(1, "pads").reshape(-1)]
    fill = float(node.constant(2, "value").reshape(-1)[0]) if node.has(2, "value") else 0.0
    axes = [int(a) for a in node.constant(3).reshape(-1)] if node.has(3) else range(len(x.layout))
    rank = len(list(axes))
    edges = [[0, 0] for _ in range(4)]
    for i, axis in enumerate(axes):
        before, after = amounts[i], amounts[i + rank]
        if min(before, after) < 0:
            node.refuse(f"it pads by {before} and {after}", "Slice instead.")
        if before or after:
            edges[x.axis(axis)] = [before, after]
    if mode not in ("constant", "reflect") or (mode == "constant" and fill != 0):
        node.refuse(f"it pads in mode {mode} by {fill}, zeros and reflection run")
    y = tensorflow().pad(x.tensor, edges, "REFLECT" if mode == "reflect" else "CONSTANT")
    return (x.having(y),)


def resize(node: Node) -> Outputs:
    """Lower Resize or Upsample to the nearest step, by a whole factor of time."""
    tf, x = tensorflow(), node.value()
    if node.attributes.get("mode", b"nearest") != b"nearest":
        node.refuse(f"its mode is {node.attributes['mode'].decode()}, nearest runs")
    if node.op == "Upsample":
        sizes = [n * f for n, f in zip(x.shape, node.constant(1, "scales").tolist(), strict=True)]
    elif node.has(3):
        sizes = node.constant(3).reshape(-1).tolist()
    else:
        sizes = [n * f for n, f in zip(x.shape, node.constant(2).tolist(), strict=True)]
    grown = [axis for axis, (a, b) in enumerate(zip(x.shape, sizes, strict=True)) if a != b]
    time = int(sizes[grown[0]]) if grown else x.time
    if len(grown) > 1 or (grown and x.axis(grown[0]) != 2) or time % x.time:
        node.refuse(f"it makes {sizes} of {list(x.shape)}; a whole factor of time runs")
    y = tf.compat.v1.image.resize_nearest_neighbor(x.tensor, [1, time])
    return (x.having(y),)


def reshape(node: Node) -> Outputs:
    """Lower Reshape and Flatten that move no number."""
    x = node.value()
    if node.op == "Flatten":
        axis = int(node.attributes.get("axis", 1))
        sizes = [math.prod(x.shape[:axis]), math.prod(x.shape[axis:])]
    else:
        sizes = [int(size) for size in node.constant(1, "shape").reshape(-1)]
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
        fixed_size = math.prod(size for size in sizes if size != -1)
        sizes = [math.prod(x.shape) // fixed_size if size == -1 else size for size in sizes]
    return (reshaped(x, sizes),)


def transpose(node: Node) -> Outputs:
    """Lower Transpose: the dimensions mean something else, no number moves."""
    x = node.value()
    order = node.attributes.get("perm", range(len(x.layout))[::-1])
    return (Value(x.tensor, tuple(x.layout[int(axis)] for axis in order)),)


def squeeze(node: Node) -> Outputs:
    """Lower Squeeze."""
    x = node.value()
    axes = {a for a, size in enumerate(x.shape) if a and size == 1}
    if node.has(1, "axes"):
        axes = {int(a) % len(x.layout) for a in node.constant(1, "axes").reshape(-1)}
    return (Value(x.tensor, tuple(k for a, k in enumerate(x.layout) if a not in axes)),)


def unsqueeze(node: Node) -> Outputs:
    """Lower Unsqueeze."""
    x = node.value()
    axes = [int(a) for a in node.constant(1, "axes").reshape(-1)]
    rank = len(x.layout) + len(axes)
    layout = iter(x.layout)
    new = {axis % rank for axis in axes}
    return (Value(x.tensor, tuple(ONE if a in new else next(layout) for a in range(rank))),)


def same(node: Node) -> Outputs:
    """Lower what changes nothing at inference: Identity, Dropout, a Cast to float."""
    return (node.value(),) * max(node.outputs, 1)
