"""RESIZE_NEAREST_NEIGHBOR along time.

TFLite finds each step in float32. Where an exact fraction gives the same steps, all of them, the
layer counts in integers; else it is refused.
"""

from fractions import Fraction
from math import lcm

import numpy as np

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.ops import axes, checks
from dynadeep.codegen.ops.copy import Selection, select
from dynadeep.codegen.ops.operation import Op

OPTIONS = ("AlignCorners", "HalfPixelCenters")


def read(node: Node) -> Op:
    """Read and check a RESIZE_NEAREST_NEIGHBOR."""
    source, size = checks.operands(node, 2, 2)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    sizes = tuple(axes.constants(node, size, "size"))
    if len(x.shape) != 4 or y.shape[1:3] != sizes or y.channels != x.channels:
        node.refuse(f"{list(x.shape)} resized to {sizes} is not {list(y.shape)}", checks.CONVERT)
    align, half = (bool(node.options.get(name, 0)) for name in OPTIONS)
    selection = _fraction(x, y.time, align=align, half=half)
    expected = _indices(x.time, y.time, align=align, half=half)
    if [selection.step(o) for o in range(y.time)] != expected:
        node.refuse(
            f"it resizes {x.time} steps to {y.time}, of which float32 rounds some to others than "
            "the fraction does",
            "Resize by a smaller integer factor, without aligned corners.",
        )
    return select(node, x, y, selection, f"nearest {y.time}/{x.time}")


def _fraction(x: Tensor, steps: int, *, align: bool, half: bool) -> Selection:
    """Return floor((o x stride - before) / up) for what TFLite means, before float32 rounds it."""
    corners = align and steps > 1
    scale = Fraction(x.time - 1, steps - 1) if corners else Fraction(x.time, steps)
    # Aligned corners round to the nearest, ties up; else what is behind the point goes.
    offset = (scale / 2 if half else Fraction(0)) + (Fraction(1, 2) if align else 0)
    up = lcm(scale.denominator, offset.denominator)
    return Selection(steps, x.channels, stride=int(scale * up), before=-int(offset * up), up=up)


def _indices(steps: int, output_steps: int, *, align: bool, half: bool) -> list[int]:
    """Return the input step of each output step, in TFLite's arithmetic."""
    corners = align and output_steps > 1
    counts = (steps - 1, output_steps - 1) if corners else (steps, output_steps)
    scale = np.float32(counts[0]) / np.float32(counts[1])
    offset = np.float32(0.5 if half else 0.0)
    places = (np.arange(output_steps).astype(np.float32) + offset) * scale
    if align:  # C's round: away from zero, and none is negative
        places = np.floor(places.astype(np.float64) + 0.5).astype(np.float32)
    indices = np.floor(places).astype(np.int64)
    return [int(step) for step in np.clip(indices, 0, steps - 1)]
