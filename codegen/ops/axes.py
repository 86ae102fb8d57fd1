"""Which dimension of a series an operator means: time or channels."""

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.ops import checks


def constants(node: Node, tensor: Tensor | None, what: str) -> list[int]:
    """Return the values of an INT32 constant: axes, sizes, paddings.

    Raises:
        ModelError: it is computed, or something else.
    """
    if tensor is None or tensor.data is None or tensor.type != "INT32":
        node.refuse(
            f"its {what} is not an INT32 constant",
            "Give them as numbers when the network is built, not as a computed tensor.",
        )
    return [int(value) for value in tensor.data.reshape(-1)]


def axis_of(node: Node, axis: int, rank: int) -> int:
    """Return an axis counted from the front.

    Raises:
        ModelError: there is none of that number.
    """
    if not -rank <= axis < rank:
        node.refuse(f"its axis is {axis}, its tensor has {rank} dimensions", checks.CONVERT)
    return axis % rank


def one_per_axis(node: Node, values: list[int], tensor: Tensor, what: str) -> list[int]:
    """Return ``values`` if there is one for each dimension of ``tensor``."""
    if len(values) != len(tensor.shape):
        node.refuse(
            f'its {what} has {len(values)} values, "{tensor.name}" has {len(tensor.shape)} '
            "dimensions",
            checks.CONVERT,
        )
    return values


def same_size(node: Node, output: Tensor, steps: int, channels: int) -> None:
    """Check that an output holds ``steps`` of ``channels`` values, or refuse by its shape."""
    if (output.time, output.channels) != (steps, channels):
        node.refuse(
            f'"{output.name}" is {list(output.shape)}, expected {steps} steps of {channels}',
            checks.CONVERT,
        )
