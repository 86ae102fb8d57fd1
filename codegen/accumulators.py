"""The proof that no accumulator can leave int32, whatever the input and the order of the sum."""

import numpy as np

from dynadeep.codegen.fixed_point import INT32_MAX
from dynadeep.codegen.graph import Int32s, Node
from dynadeep.codegen.layers import Conv1d


def accumulator_bounds(layer: Conv1d, bias: Int32s) -> list[int]:
    """Return, for each output, a bound on the size of every partial sum.

    A kernel may sum x * w onto the folded bias, or (x - zero point) * w onto the file's ``bias``,
    in any order: no partial sum is larger than the larger bias and all products at their worst.
    """
    zero_point = layer.input.zero_point
    reach = max(128, 127 - zero_point, zero_point + 128)
    magnitudes = np.abs(layer.weights.reshape(len(layer.weights), -1).astype(np.int64))
    start = np.maximum(np.abs(_wide_bias(layer, bias)), np.abs(bias.astype(np.int64)))
    return [int(bound) for bound in start + reach * magnitudes.sum(axis=1)]


def _wide_bias(layer: Conv1d, bias: Int32s) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the folded bias, computed where it cannot overflow."""
    sums = layer.weights.reshape(len(layer.weights), -1).sum(axis=1, dtype=np.int64)
    wide: np.ndarray[tuple[int], np.dtype[np.int64]] = bias - layer.input.zero_point * sums
    return wide


def check_accumulators(node: Node, layer: Conv1d, bias: Int32s) -> None:
    """Refuse a layer that could overflow int32 while it sums, or when a shift to the left follows.

    Args:
        node: the operator, for the message.
        layer: the layer with its constants.
        bias: the bias as the file has it, before the zero point was folded in.
    """
    for channel, bound in enumerate(accumulator_bounds(layer, bias)):
        shift = int(layer.shift[channel])
        if bound << max(shift, 0) > INT32_MAX:
            node.refuse(
                f"channel {channel} can reach {bound} x 2^{max(shift, 0)}, "
                f"beyond int32's {INT32_MAX}",
                "Check the bias and the scales, and quantise again with wider data.",
            )
