"""Any network on TFLite's interpreters, tensor by tensor: the reference and its witness.

The reference is TFLite with its reference kernels, the witness is TFLite-Micro. Both take int8
values for the network's own inputs, whatever the file's are, and give every int8 tensor by name.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.canonical import canonical
from dynadeep.codegen.errors import line_of
from dynadeep.codegen.graph import Graph, Tensor
from dynadeep.codegen.tflite import read_graph
from dynadeep.export.errors import ExportError
from dynadeep.export.op_by_op import Piece, pieces
from dynadeep.export.packages import load, quiet, tensorflow

Int8 = npt.NDArray[np.int8]
Values = dict[str, Int8]
"""[time, channels] by the tensor's name."""

ByIndex = dict[int, npt.NDArray[Any]]
"""A tensor's values in the file's own shape and type, by its index in the file."""

MICRO_ARENA_BYTES = 16 << 20
"""Room for every tensor at once, because none may be overwritten."""

UNREGISTERED = "Didn't find op for builtin opcode"
"""What TFLite says of an operator that a resolver does not know."""

MICRO = "TFLite-Micro"
NUMPY_TYPES: Mapping[str, type[Any]] = {
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT16": np.int16,
    "FLOAT32": np.float32,
}


class _Run(Protocol):
    """Runs a file once: the inputs by index, and which tensors to return."""

    def __call__(self, inputs: ByIndex, indices: Iterable[int]) -> ByIndex: ...


class Reference:
    """TFLite with ``OpResolverType.BUILTIN_REF``: plain C++ loops, double rounding.

    Raises:
        ExportError: TFLite cannot run the file.
    """

    def __init__(self, content: bytes, file: str) -> None:
        self.graph = canonical(read_graph(content, file))
        self._run = _call(file, _reference, content)

    def run(self, inputs: Values) -> Values:
        """Return every int8 tensor of one run, [time, channels], the inputs among them.

        Raises:
            ExportError: TFLite cannot run the file, or makes a tensor of another size than it says.
        """
        feeds = dict(_file_input(self.graph, t, inputs[t.name]) for t in self.graph.inputs)
        tensors = int8_tensors(self.graph)
        values = _call(self.graph.file, self._run, feeds, [tensor.index for tensor in tensors])
        return {t.name: _as_series(self.graph, t, values[t.index]) for t in tensors}


class Witness:
    """TFLite-Micro's interpreter from the package ``tflite-micro``.

    Raises:
        ExportError: TFLite-Micro cannot run the file.
    """

    def __init__(self, content: bytes, file: str) -> None:
        self.graph = canonical(read_graph(content, file))
        runtime = load("tflite_micro.python.tflite_micro.runtime")
        self._interpreter = _call(
            file,
            runtime.Interpreter.from_bytes,
            content,
            arena_size=MICRO_ARENA_BYTES,
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
            runtime=MICRO,
        )

    def run(self, inputs: Values) -> Values:
        """Return every int8 tensor of one run, [time, channels].

        Raises:
            ExportError: TFLite-Micro cannot run the file.
        """
        for number, tensor in enumerate(self.graph.inputs):
            _, values = _file_input(self.graph, tensor, inputs[tensor.name])
            _call(self.graph.file, self._interpreter.set_input, values, number, runtime=MICRO)
        _call(self.graph.file, self._interpreter.invoke, runtime=MICRO)
        return {
            tensor.name: _as_series(
                self.graph, tensor, self._interpreter.GetTensor(tensor.index, 0)["tensor_data"]
            )
            for tensor in int8_tensors(self.graph)
        }


def int8_tensors(graph: Graph) -> tuple[Tensor, ...]:
    """Return the inputs and every int8 tensor of the file that an operator makes, in order."""
    outputs = (tensor for node in graph.nodes for tensor in node.outputs)
    return (*graph.inputs, *(t for t in outputs if t.type == "INT8" and t.index >= 0))


def _reference(content: bytes) -> _Run:
    """Return the file on the reference kernels; operator by operator if one has none."""
    try:
        return _whole(content, with_reference=True)
    except ValueError as error:
        if UNREGISTERED not in str(error):
            raise
        return _OpByOp(content)


class _OpByOp:
    """Each operator on its reference kernel, or on its only one."""

    def __init__(self, content: bytes) -> None:
        self._steps: list[tuple[Piece, _Run]] = [
            (piece, _piece(piece.content)) for piece in pieces(content)
        ]

    def __call__(self, inputs: ByIndex, indices: Iterable[int]) -> ByIndex:
        values = dict(inputs)
        for piece, run in self._steps:
            values |= run({index: values[index] for index in piece.inputs}, piece.outputs)
        return {index: values[index] for index in indices if index in values}


def _piece(content: bytes) -> _Run:
    try:
        return _whole(content, with_reference=True)
    except ValueError as error:
        if UNREGISTERED not in str(error):
            raise
        return _whole(content, with_reference=False)


def _whole(content: bytes, *, with_reference: bool) -> _Run:
    lite = tensorflow().lite
    kinds = lite.experimental.OpResolverType
    interpreter = lite.Interpreter(
        model_content=content,
        experimental_op_resolver_type=kinds.BUILTIN_REF
        if with_reference
        else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    ready: dict[int, tuple[int, ...]] | None = None

    def run(inputs: ByIndex, indices: Iterable[int]) -> ByIndex:
        nonlocal ready
        shapes = {index: values.shape for index, values in inputs.items()}
        if shapes != ready:  # what a file with an open batch says of a shape need not be so
            for index, shape in shapes.items():
                interpreter.resize_tensor_input(index, shape)
            interpreter.allocate_tensors()
            ready = shapes
        for index, values in inputs.items():
            interpreter.set_tensor(index, values)
        interpreter.invoke()
        return {index: interpreter.get_tensor(index) for index in indices}

    return run


def _call(
    file: str, function: Any, *arguments: Any, runtime: str = "TFLite", **options: Any
) -> Any:
    """Call an interpreter, whose exceptions say what the file has that it does not take."""
    try:
        with quiet():
            return function(*arguments, **options)
    except (RuntimeError, ValueError) as error:
        line = line_of(error, 300)
        raise ExportError(
            f"{file}: {runtime} does not run it ({line}). Convert the network again."
        ) from error


def _file_input(graph: Graph, tensor: Tensor, codes: Int8) -> tuple[int, npt.NDArray[Any]]:
    """Return the file's own input, and what it takes for int8 codes of the network's input.

    A float or uint8 input gets the values that its QUANTIZE takes back to the same codes.
    """
    end = graph.file_ends.get(tensor.index, tensor)
    if end is tensor:
        return end.index, codes.reshape(end.shape)
    if end.type not in NUMPY_TYPES:
        raise ExportError(
            f'{graph.file}: its input "{end.name}" is {end.type}, expected one of '
            f"{', '.join(NUMPY_TYPES)}. Convert the network with int8 inputs."
        )
    real = np.float32(tensor.scale) * (codes.astype(np.float32) - np.float32(tensor.zero_point))
    dtype = NUMPY_TYPES[end.type]
    if end.type != "FLOAT32":
        limits = np.iinfo(dtype)
        scaled = np.round(real.astype(np.float64) / end.scale) + end.zero_point
        real = np.clip(scaled, limits.min, limits.max)
    return end.index, real.astype(dtype).reshape(end.shape)


def _as_series(graph: Graph, tensor: Tensor, values: npt.NDArray[Any]) -> Int8:
    if values.size != tensor.size:
        raise ExportError(
            f'{graph.file}: "{tensor.name}" is {list(tensor.shape)} in the file, TFLite makes '
            f"{list(values.shape)} of it. Convert the network with a fixed batch of 1."
        )
    series: Int8 = np.array(values, np.int8).reshape(tensor.time, tensor.channels)
    return series
