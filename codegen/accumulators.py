"""The proof that no accumulator can leave int32, whatever the input and the order of the sum."""

import numpy as np

from dynadeep.codegen.fixed_point import INT32_MAX
from dynadeep.codegen.graph import Int8s, Int32s, Node


def accumulator_bounds(weights: Int8s, zero_point: int, bias: Int32s) -> list[int]:
    """Return, for each output, a bound on the size of every partial sum.

    A kernel may sum x * w onto the folded bias, or (x - zero point) * w onto the file's ``bias``,
    in any order: no partial sum is larger than the larger bias and all products at their worst.

    Args:
        weights: whose axis 0 is the output.
        zero_point: the input's.
        bias: as the file has it, before the zero point is folded in.
    """
    reach = max(128, 127 - zero_point, zero_point + 128)
    rows = weights.reshape(len(weights), -1).astype(np.int64)
    own = bias.astype(np.int64)
    folded = own - zero_point * rows.sum(axis=1)
    start = np.maximum(np.abs(folded), np.abs(own))
    return [int(bound) for bound in start + reach * np.abs(rows).sum(axis=1)]


def check_accumulators(node: Node, bounds: list[int], shifts: Int8s) -> None:
    """Refuse a layer that could overflow int32 while it sums, or when a shift to the left follows.

    Args:
        node: the operator, for the message.
        bounds: of each channel's sums, from ``accumulator_bounds``.
        shifts: each channel's, left if positive.
    """
    for channel, bound in enumerate(bounds):
        shift = max(int(shifts[channel]), 0)
        if bound << shift > INT32_MAX:
            node.refuse(
                f"channel {channel} can reach {bound} x 2^{shift}, beyond int32's {INT32_MAX}",
                "Check the bias and the scales, and quantise again with wider data.",
            )
