"""Compute what a file leaves to run time although it is known: shapes, and what is made of them.

A converter that leaves the batch open writes a shape's arithmetic as operators (SHAPE,
STRIDED_SLICE, PACK before a RESHAPE), and 1 for every size that depends on it. With a batch of 1
all of that is constant.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.errors import ModelError, line_of
from dynadeep.codegen.graph import Graph, Node, Tensor

Array = npt.NDArray[Any]
Fold = Callable[[Node, list[Array]], Array]
LARGEST_SIZE = 1 << 16
"""Values of a constant that is computed; what only turns one over may be larger."""

SAME_SIZE = ("DEQUANTIZE", "EXPAND_DIMS", "RESHAPE", "SQUEEZE", "TRANSPOSE")


def with_fixed_shapes(graph: Graph) -> Graph:
    """Return the graph with every shape fixed and without the operators that compute constants.

    Raises:
        ModelError: a shape stays open, or does not fit what is given that shape.
    """
    tensors: dict[int, Tensor] = {tensor.index: tensor for tensor in graph.inputs}
    nodes = []
    for node in graph.nodes:
        inputs = tuple(None if t is None else tensors.get(t.index, t) for t in node.inputs)
        resolved = replace(node, inputs=inputs)
        computed = _constant(resolved)
        if computed is not None:
            tensors[computed.index] = computed
            continue
        outputs = tuple(_fixed(resolved, tensor) for tensor in node.outputs)
        tensors.update((tensor.index, tensor) for tensor in outputs)
        nodes.append(replace(resolved, outputs=outputs))
    outputs = tuple(tensors.get(tensor.index, tensor) for tensor in graph.outputs)
    constant = [tensor.name for tensor in outputs if tensor.data is not None]
    if constant:
        raise ModelError(
            f"{graph.file}: its output {constant[0]} is a constant. Output what a layer makes."
        )
    return replace(graph, nodes=tuple(nodes), outputs=outputs)


def _constant(node: Node) -> Tensor | None:
    """Return the tensor that a node makes of constants, or None where it needs an input."""
    if len(node.outputs) != 1 or not node.inputs or node.inputs[0] is None:
        return None
    values = [tensor.data for tensor in node.inputs if tensor is not None]
    constants = [value for value in values if value is not None]
    fold = FOLDS.get(node.kind)
    if node.kind != "SHAPE" and (fold is None or len(constants) != len(values)):
        return None
    try:
        if fold is None:  # a size may be beyond int32: a batch multiplies it
            return _holding(node.outputs[0], np.array(node.inputs[0].shape, np.int32))
        if node.kind not in SAME_SIZE and sum(value.size for value in constants) > LARGEST_SIZE:
            raise ValueError(f"more than {LARGEST_SIZE} values")
        return _holding(node.outputs[0], np.asarray(fold(node, constants)))
    except (ValueError, IndexError, KeyError, TypeError, ArithmeticError) as error:
        line = line_of(error)
        node.refuse(f"its constants do not fit together ({line})", "Convert the network again.")


def _holding(tensor: Tensor, values: Array) -> Tensor:
    return replace(tensor, shape=values.shape, signature=(), data=values)


def _fixed(node: Node, tensor: Tensor) -> Tensor:
    """Return an output with the shape that it has for a batch of 1."""
    if not any(size < 0 for size in tensor.signature):
        return tensor
    source = next((t for t in node.inputs if t is not None and t.data is None), None)
    shape = _shape(node, source, tensor)
    if shape is None:
        node.refuse(
            f'"{tensor.name}" has the dynamic shape {list(tensor.signature)}',
            "Convert the network with a fixed batch of 1 and a fixed length.",
        )
    return replace(tensor, shape=shape, signature=())


def _shape(node: Node, source: Tensor | None, tensor: Tensor) -> tuple[int, ...] | None:
    """Return an open shape, or None where it depends on more than the batch."""
    if node.kind == "RESHAPE" and source is not None and len(node.inputs) > 1:
        target = node.inputs[1]
        if target is None or target.data is None:
            return None
        return _resolved([int(size) for size in target.data.reshape(-1)], source.size)
    if source is not None and len(source.shape) == len(tensor.shape):
        sizes = zip(tensor.signature, tensor.shape, source.shape, strict=True)
        alike = node.kind in ELEMENTWISE
        shape = tuple(
            size if fixed >= 0 else _batch(node, in_size) if axis == 0 else in_size if alike else -1
            for axis, (fixed, size, in_size) in enumerate(sizes)
        )
        return None if -1 in shape else shape
    if [axis for axis, size in enumerate(tensor.signature) if size < 0] != [0]:
        return None
    if node.kind in SAME_SIZE and source is not None:
        return _resolved([-1, *tensor.shape[1:]], source.size)
    return tensor.shape


def _batch(node: Node, count: int) -> int:
    """Return the batch of an output, whose input's is ``count``."""
    if node.kind not in ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"):
        return count
    block = node.inputs[1] if len(node.inputs) > 1 else None
    factor = 1 if block is None or block.data is None else max(int(np.prod(block.data)), 1)
    return count * factor if node.kind == "SPACE_TO_BATCH_ND" else count // factor


def _resolved(sizes: list[int], count: int) -> tuple[int, ...] | None:
    """Return the sizes of a RESHAPE, of which one may be -1."""
    fixed = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or fixed < 1 or count % fixed:
        return None
    return tuple(count // fixed if size == -1 else size for size in sizes)


ELEMENTWISE = (
    "ADD",
    "DEQUANTIZE",
    "ELU",
    "GELU",
    "HARD_SWISH",
    "LEAKY_RELU",
    "LOGISTIC",
    "MAXIMUM",
    "MINIMUM",
    "MUL",
    "PRELU",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "SOFTMAX",
    "SUB",
    "TANH",
)
"""Operators whose output has the shape of their first input."""


def _strided_slice(node: Node, values: list[Array]) -> Array:
    data, begin, end, stride = values
    masks = {name: int(node.options.get(name, 0)) for name in STRIDED_SLICE}
    cuts: list[slice | int] = []
    for axis in range(len(begin)):
        start: int | None = int(begin[axis])
        stop: int | None = int(end[axis])
        if masks["ShrinkAxisMask"] >> axis & 1:
            cuts.append(int(begin[axis]))
            continue
        start = None if masks["BeginMask"] >> axis & 1 else start
        stop = None if masks["EndMask"] >> axis & 1 else stop
        cuts.append(slice(start, stop, int(stride[axis])))
    if masks["EllipsisMask"] or masks["NewAxisMask"]:
        raise ValueError("an ellipsis or a new axis of constants")
    return np.asarray(data[tuple(cuts)])


def _cast(node: Node, values: list[Array]) -> Array:
    types = {"INT32": np.int32, "INT64": np.int64, "FLOAT32": np.float32}
    return values[0].astype(types[node.outputs[0].type])


def _axis(node: Node) -> int:
    return int(node.options.get("Axis", 0))


def _integer(function: Callable[[Array, Array], Array]) -> Fold:
    """Return the arithmetic of shapes; that of int8 codes is the operators' own."""

    def fold(node: Node, values: list[Array]) -> Array:
        if node.outputs[0].type not in ("INT32", "INT64"):
            raise TypeError(f"constants of {node.outputs[0].type}")
        _check_size(math.prod(np.broadcast_shapes(*(value.shape for value in values))))
        return function(*values)

    return fold


def _fill(node: Node, values: list[Array]) -> Array:
    sizes = [int(size) for size in values[0].reshape(-1)]
    _check_size(math.prod(sizes))
    return np.full(sizes, values[1].reshape(-1)[0])


def _gather(node: Node, values: list[Array]) -> Array:
    if values[0].ndim != 1:
        raise ValueError(f"gathers from {values[0].ndim} dimensions")
    return np.take(values[0], values[1])


def _check_size(size: int) -> None:
    if not 0 <= size <= LARGEST_SIZE:
        raise ValueError(f"{size} values")


def _dequantize(node: Node, values: list[Array]) -> Array:
    """Return float values of a constant in int8 or float16."""
    source = node.inputs[0]
    assert source is not None
    if source.quantization is None:
        return values[0].astype(np.float32)
    scale, point = source.quantization.scales, source.quantization.zero_points
    if len(scale) != 1:
        raise ValueError("more than one scale")
    return (scale[0] * (values[0].astype(np.int64) - point[0])).astype(np.float32)


STRIDED_SLICE = ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask")
FOLDS: Mapping[str, Fold] = {
    "ADD": _integer(np.add),
    "CAST": _cast,
    "CONCATENATION": lambda node, values: np.concatenate(values, _axis(node)),
    "DEQUANTIZE": _dequantize,
    "EXPAND_DIMS": lambda node, values: np.expand_dims(values[0], int(values[1].reshape(-1)[0])),
    "FILL": _fill,
    "FLOOR_DIV": _integer(np.floor_divide),
    "GATHER": _gather,
    "MAXIMUM": _integer(np.maximum),
    "MINIMUM": _integer(np.minimum),
    "MUL": _integer(np.multiply),
    "PACK": lambda node, values: np.stack(values, _axis(node)),
    "REDUCE_PROD": lambda node, values: np.prod(
        values[0],
        axis=tuple(int(axis) for axis in values[1].reshape(-1)),
        keepdims=bool(node.options.get("KeepDims", 0)),
        dtype=values[0].dtype,
    ),
    "RESHAPE": lambda node, values: values[0].reshape([int(n) for n in values[1].reshape(-1)]),
    "SQUEEZE": lambda node, values: values[0].reshape(node.outputs[0].shape),
    "STRIDED_SLICE": _strided_slice,
    "SUB": _integer(np.subtract),
    "TRANSPOSE": lambda node, values: values[0].transpose([int(n) for n in values[1].reshape(-1)]),
}

OPTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "CONCATENATION": ("ConcatenationOptions", ("Axis",)),
    "PACK": ("PackOptions", ("Axis",)),
    "REDUCE_PROD": ("ReducerOptions", ("KeepDims",)),
    "STRIDED_SLICE": ("StridedSliceOptions", STRIDED_SLICE),
}
"""What these need of an operator's options, besides what its reader looks at."""
