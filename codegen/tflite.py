"""Read a TFLite flatbuffer into a Graph, through the schema's generated readers.

The readers trust the file: an offset that points outside raises whatever Python raises there. All
of that is caught in one place and becomes one ModelError, so a damaged file never ends in a
traceback; counts are checked before anything loops over them, so it never hangs either.
"""

import math
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from dynadeep.codegen import shapes
from dynadeep.codegen.errors import ModelError, line_of
from dynadeep.codegen.graph import Graph, Node, OperatorError, Quantization, Tensor
from dynadeep.codegen.naming import unique_names
from dynadeep.codegen.ops import OPERATIONS

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
COUNT_LIMIT = 1 << 16  # tensors, operators, inputs, scales of one tensor
RANK_LIMIT = 8
DTYPES: dict[str, np.dtype[Any]] = {
    "INT8": np.dtype("<i1"),
    "UINT8": np.dtype("<u1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FLOAT16": np.dtype("<f2"),
    "FLOAT32": np.dtype("<f4"),
    "BOOL": np.dtype("?"),
}
"""The constants that are read; others are kept as bytes, for an operator to refuse."""

COPY_AGAIN = "The file is damaged or was not written by a converter: copy or convert it again."

READER_ERRORS = (
    AttributeError,
    IndexError,
    OverflowError,
    struct.error,
    TypeError,
    ValueError,
)
"""What the generated readers raise when an offset or a count in the file is wrong."""


def _names(enumeration: type) -> dict[int, str]:
    return {v: k for k, v in vars(enumeration).items() if isinstance(v, int) and k[0] != "_"}


TENSOR_TYPES = _names(tflite.TensorType)
OPERATORS = _names(tflite.BuiltinOperator)


def read_graph(content: bytes, file: str = "model.tflite") -> Graph:
    """Read the bytes of a .tflite, which messages call ``file``.

    A batch that the file leaves open is 1.

    Raises:
        ModelError: the file is damaged, or is not one static graph.
    """
    if content[4:8] != IDENTIFIER:
        raise ModelError(
            f"{file}: not a TFLite file ({len(content)} bytes, its identifier is "
            f"{content[4:8]!r}, expected {IDENTIFIER!r}). Name a .tflite."
        )
    try:
        return _read_model(tflite.Model.GetRootAs(content, 0), file)
    except OperatorError:
        raise
    except _DamageError as error:
        raise ModelError(f"{file}: {error}") from error
    except READER_ERRORS as error:
        raise ModelError(
            f"{file}: damaged or truncated at {len(content)} bytes ({line_of(error)}). {COPY_AGAIN}"
        ) from error


class _DamageError(ModelError):
    """What is wrong with the file, before it is known what the file is called."""


def _read_model(model: Any, file: str) -> Graph:
    if model.Version() != SCHEMA_VERSION:
        raise _damage(f"schema version is {model.Version()}, this kit reads {SCHEMA_VERSION}")
    if model.SubgraphsLength() < 1:
        raise _damage("holds no graph")
    _check_all_there(model)
    graph = model.Subgraphs(0)
    raws = [graph.Tensors(i) for i in range(_count(graph.TensorsLength(), "tensors"))]
    names = unique_names([(raw.Name() or b"").decode("utf-8", "replace") for raw in raws])
    tensors = [
        _read_tensor(model, raw, index, name)
        for index, (raw, name) in enumerate(zip(raws, names, strict=True))
    ]
    nodes = tuple(
        _read_node(model, graph.Operators(i), i, tensors, file)
        for i in range(_count(graph.OperatorsLength(), "operators"))
    )
    inputs = _ends(tensors, graph.Inputs, graph.InputsLength(), "input")
    if len(set(inputs)) != len(inputs):
        raise _damage(f"lists one of its inputs twice: {[tensor.name for tensor in inputs]}")
    for tensor in inputs:
        _check_open(tensor)
    outputs = _ends(tensors, graph.Outputs, graph.OutputsLength(), "output")
    result = Graph(nodes, inputs, outputs, file)
    _check_order(result)
    return result


def _ends(tensors: list[Tensor], index_of: Any, length: int, end: str) -> tuple[Tensor, ...]:
    """Return the graph's inputs or outputs, of which there is one at least."""
    ends = tuple(_present(tensor) for tensor in _pick(tensors, index_of, length))
    if not ends:
        raise _damage(f"has no {end}")
    return ends


def _check_all_there(model: Any) -> None:
    """Read what no operator needs too, so that a file that lost its end is never accepted."""
    for i in range(_count(model.BuffersLength(), "buffers")):
        model.Buffers(i).DataAsNumpy()
    for i in range(_count(model.OperatorCodesLength(), "operator codes")):
        model.OperatorCodes(i).Version()
    model.Description()


def _read_tensor(model: Any, raw: Any, index: int, name: str) -> Tensor:
    shape = _read_shape(raw, name)
    if raw.IsVariable() or raw.Sparsity() is not None:
        raise _DamageError(
            f'tensor "{name}" is {"sparse" if raw.Sparsity() is not None else "a variable"}, '
            "expected a plain one. Convert the network without state and without sparse weights."
        )
    kind = TENSOR_TYPES.get(raw.Type(), f"type {raw.Type()}")
    data = _read_data(model, raw.Buffer(), name, kind, shape)
    quantization = _read_quantization(raw.Quantization(), name)
    return Tensor(index, name, shape, kind, quantization, _read_signature(raw, name, shape), data)


def _read_shape(raw: Any, name: str) -> tuple[int, ...]:
    """Return a tensor's shape; what the file leaves open is 1, as it is for most converters."""
    rank = _count(raw.ShapeLength(), f'dimensions of "{name}"', RANK_LIMIT)
    shape = tuple(int(raw.Shape(i)) for i in range(rank))
    is_open = _count(raw.ShapeSignatureLength(), f'dimensions of "{name}"', RANK_LIMIT) == rank > 0
    if min(shape, default=1) < (-1 if is_open else 1):
        raise _damage(f'tensor "{name}" has the shape {list(shape)}')
    return tuple(max(size, 1) for size in shape)


def _read_signature(raw: Any, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    signature = tuple(int(raw.ShapeSignature(i)) for i in range(raw.ShapeSignatureLength()))
    if signature and len(signature) != len(shape):
        raise _damage(f'tensor "{name}" has the shape {list(shape)}, but also {list(signature)}')
    return signature


def _check_open(tensor: Tensor) -> None:
    """Refuse an input of which more than the batch is open."""
    if any(size < 0 for size in tensor.signature[1:]):
        raise _DamageError(
            f'input "{tensor.name}" has the dynamic shape {list(tensor.signature)}, only its batch '
            "may be open. Convert the network with a fixed length."
        )


def _read_data(
    model: Any, buffer: int, name: str, kind: str, shape: tuple[int, ...]
) -> npt.NDArray[Any] | None:
    """Return a constant's values in ``shape``, or None for what the graph computes."""
    if not 0 <= buffer < model.BuffersLength():
        raise _damage(f'tensor "{name}" lies in buffer {buffer} of {model.BuffersLength()}')
    raw = model.Buffers(buffer)
    if raw.Offset() > 1 or raw.Size() > 1:
        raise _damage(f'tensor "{name}" has its values outside the flatbuffer')
    if raw.DataLength() == 0:
        return None
    content = np.array(raw.DataAsNumpy(), np.uint8)
    if kind not in DTYPES:
        return content
    expected = math.prod(shape) * DTYPES[kind].itemsize
    if len(content) != expected:
        raise _damage(f'tensor "{name}" has {len(content)} bytes, its shape needs {expected}')
    values: npt.NDArray[Any] = np.frombuffer(content.tobytes(), DTYPES[kind])
    return values.reshape(shape)


def _read_quantization(raw: Any, name: str) -> Quantization | None:
    if raw is None or raw.ScaleLength() == 0:
        return None
    count = _count(raw.ScaleLength(), f'scales of "{name}"')
    scales = tuple(float(raw.Scale(i)) for i in range(count))
    if not all(math.isfinite(scale) and scale > 0 for scale in scales):
        raise _damage(f'tensor "{name}" has a scale that is not a positive number')
    if raw.ZeroPointLength() not in (0, count):
        raise _damage(f'tensor "{name}" has {count} scales, {raw.ZeroPointLength()} zero points')
    zero_points = tuple(int(raw.ZeroPoint(i)) for i in range(raw.ZeroPointLength()))
    return Quantization(scales, zero_points or (0,) * count, raw.QuantizedDimension())


def _read_node(model: Any, raw: Any, index: int, tensors: list[Tensor], file: str) -> Node:
    if not 0 <= raw.OpcodeIndex() < model.OperatorCodesLength():
        raise _damage(f"op {index} has the operator code {raw.OpcodeIndex()}, which is not there")
    code = model.OperatorCodes(raw.OpcodeIndex())
    # Codes above 127 stand in the newer field; older files fill only the older one.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = OPERATORS.get(number, f"operator {number}")
    if kind == "CUSTOM":
        kind = f"CUSTOM {(code.CustomCode() or b'?').decode('utf-8', 'replace')}"
    outputs = _pick(tensors, raw.Outputs, raw.OutputsLength())
    inputs = _pick(tensors, raw.Inputs, raw.InputsLength())
    plain = tuple(_present(output) for output in outputs)
    return Node(index, kind, inputs, plain, _read_options(raw, kind), file)


def _read_options(raw: Any, kind: str) -> dict[str, Any]:
    """Return the options that the operator's reader names, defaults where the file has none."""
    operation = OPERATIONS.get(kind)
    tables = [(operation.options_table, operation.options)] if operation else []
    tables += [shapes.OPTIONS[kind]] if kind in shapes.OPTIONS else []
    named = [name for _, names in tables for name in names]
    table = raw.BuiltinOptions()
    if table is None or not named:
        return {}
    options = getattr(tflite, tables[-1][0])()
    options.Init(table.Bytes, table.Pos)
    values = {name: getattr(options, name)() for name in named}
    return {name: v if isinstance(v, float) else int(v) for name, v in values.items()}


def _pick(tensors: list[Tensor], index_of: Any, length: int) -> tuple[Tensor | None, ...]:
    """Return the tensors that a vector of indices names; -1 means none."""
    indices = [int(index_of(i)) for i in range(_count(length, "inputs or outputs"))]
    for index in indices:
        if not -1 <= index < len(tensors):
            raise _damage(f"names tensor {index} of {len(tensors)}")
    return tuple(None if index == -1 else tensors[index] for index in indices)


def _present(tensor: Tensor | None) -> Tensor:
    if tensor is None:
        raise _damage("leaves out a tensor that is not optional")
    return tensor


def _count(length: int, what: str, limit: int = COUNT_LIMIT) -> int:
    if not 0 <= length <= limit:
        raise _damage(f"claims {length} {what}, at most {limit} make sense")
    return length


def _check_order(graph: Graph) -> None:
    """Check that every operator uses only what the inputs and earlier operators made."""
    written = {tensor.index for tensor in graph.inputs}
    for node in graph.nodes:
        for tensor in node.inputs:
            if tensor is not None and tensor.data is None and tensor.index not in written:
                node.refuse(f'reads "{tensor.name}", which nothing before it writes', COPY_AGAIN)
        for tensor in node.outputs:
            if tensor.index in written or tensor.data is not None:
                node.refuse(f'writes "{tensor.name}", a constant or written twice', COPY_AGAIN)
            written.add(tensor.index)
    for tensor in graph.outputs:
        if tensor.index not in written:
            raise _damage(f'output "{tensor.name}" is written by no operator')


def _damage(what: str) -> _DamageError:
    return _DamageError(f"{what}. {COPY_AGAIN}")
