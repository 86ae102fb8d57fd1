"""Rewrite a converted .tflite so that it is readable and depends on the model alone.

Operators come in the order of the layers, every tensor is called ``<layer>/<role>``, constants are
not shared between layers, and metadata, signatures and unused buffers are gone.
"""

import copy
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt

from dynadeep.export.errors import QuantizationError
from dynadeep.export.packages import load, tensorflow

Floats = npt.NDArray[np.float32]

INPUT = "segment"
IDENTIFIER = b"TFL3"
ALIGNMENT = 16
"""Of a constant's bytes, as the TFLite schema demands of each buffer."""

CONVOLUTION = "CONV_2D"
ROLES = {
    "PAD": "pad",
    CONVOLUTION: "conv",
    "LOGISTIC": "sigmoid",
    "MUL": "silu",
    "MAX_POOL_2D": "pool",
}
ORDER = tuple(ROLES.values())
"""The order of one layer's operators."""

ABSENT = -1
"""Index of an input that an operator may have and has not."""

CONSTANT_ROLES = {"PAD": ("paddings",), CONVOLUTION: ("weights", "bias")}


@dataclass(frozen=True)
class Operator:
    """One operator: the layer it belongs to, its kind, and the schema's own object."""

    layer: str
    kind: str
    raw: Any


def schema() -> Any:
    """Return the flatbuffer schema that TensorFlow carries."""
    tensorflow()  # else importing a part of it would print what that keeps quiet
    return load("tensorflow.lite.python.schema_py_generated")


def parse(content: bytes) -> Any:
    """Return the object form of a .tflite.

    Raises:
        QuantizationError: it is not one, or not whole.
    """
    module = schema()
    try:
        if content[4:8] != IDENTIFIER:
            raise ValueError("its identifier TFL3 is missing")
        return module.ModelT.InitFromObj(module.Model.GetRootAs(content, 0))
    except (ValueError, TypeError, IndexError, struct.error) as error:
        raise QuantizationError(
            f"encoder.tflite: not a whole .tflite ({error}). Export the bundle again."
        ) from error


def kind_of(model: Any, operator: Any) -> str:
    """Return an operator's name in the schema, ``CONV_2D``."""
    code = model.operatorCodes[operator.opcodeIndex].builtinCode
    names = vars(schema().BuiltinOperator)
    return str(next(name for name, value in names.items() if value == code))


def canonical(content: bytes, weights: dict[str, Floats], output_layers: Sequence[str]) -> bytes:
    """Rewrite a model.

    Args:
        content: a converted, quantised .tflite.
        weights: each layer's float weights [filters, channels, kernel], in the order of the layers.
            A layer is recognised by them, so that a name can never stand over another's numbers.
        output_layers: the layers whose last tensors are the model's outputs, in order.

    Raises:
        QuantizationError: a layer's weights are not in the model, or it has an unknown operator.
    """
    model = parse(content)
    graph = model.subgraphs[0]
    layers = list(weights)
    operators = operators_of(model, weights)
    operators.sort(key=lambda op: (layers.index(op.layer), ORDER.index(ROLES[op.kind])))
    rebuilt = _Rebuilt(model)
    graph.inputs = [rebuilt.activation(graph.inputs[0], INPUT)]
    for operator in operators:
        rebuilt.add(operator)
    graph.outputs = [
        next(op.raw.outputs[0] for op in reversed(operators) if op.layer == layer)
        for layer in output_layers
    ]
    graph.tensors, model.buffers = rebuilt.tensors, rebuilt.buffers
    graph.operators = [operator.raw for operator in operators]
    graph.name, model.description = b"encoder", b"Dynamic-Deep encoder and error heads"
    model.metadata, model.metadataBuffer, model.signatureDefs = None, None, None
    return pack(model)


def pack(model: Any) -> bytes:
    """Write the object form of a model as a .tflite."""
    builder = _AlignedBuilder(1 << 17)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """A builder that aligns each vector of bytes as TFLite wants its buffers."""

    def CreateNumpyVector(self, x: npt.NDArray[np.generic]) -> Any:  # noqa: N802
        if x.dtype != np.uint8:
            return super().CreateNumpyVector(x)
        self.StartVector(1, x.size, ALIGNMENT)
        self.head -= x.size
        self.Bytes[self.head : self.head + x.size] = x.tobytes()
        return self.EndVector()


class _Rebuilt:
    """Tensors and buffers in the order of use, each constant with its one user."""

    def __init__(self, model: Any) -> None:
        self._old = model
        self._new_index: dict[int, int] = {}
        self.tensors: list[Any] = []
        self.buffers = [schema().BufferT()]  # buffer 0 is the empty one

    def add(self, operator: Operator) -> None:
        """Renumber an operator's tensors; operators come in the order of their data."""
        raw, roles = operator.raw, iter(CONSTANT_ROLES.get(operator.kind, ()))
        inputs = [int(index) for index in raw.inputs]
        if operator.kind == CONVOLUTION and inputs[2] == ABSENT:
            inputs[2] = self._zero_bias(*inputs[:2])
        raw.inputs = [
            self._constant(index, f"{operator.layer}/{next(roles)}")
            if is_constant(self._old, index)
            else self._new_index[index]
            for index in inputs
        ]
        name = f"{operator.layer}/{ROLES[operator.kind]}"
        raw.outputs = [self.activation(raw.outputs[0], name)]

    def activation(self, index: int, name: str) -> int:
        """Take over a computed tensor and return its new index."""
        self._new_index[index] = self._take(index, name, buffer=0)
        return self._new_index[index]

    def _zero_bias(self, data: int, weights: int) -> int:
        """Put back a bias that the converter left out because it is all zeros."""
        tensors, buffers = self._old.subgraphs[0].tensors, self._old.buffers
        bias, parameters = schema().TensorT(), schema().QuantizationParametersT()
        filters, scale = tensors[weights].shape[0], tensors[weights].quantization.scale
        parameters.scale = tensors[data].quantization.scale * np.resize(scale, filters)
        parameters.zeroPoint = np.zeros(filters, np.int64)
        buffer = schema().BufferT()
        buffer.data = np.zeros(4 * filters, np.uint8)
        buffers.append(buffer)
        bias.shape, bias.type = np.array([filters], np.int32), schema().TensorType.INT32
        bias.quantization, bias.buffer = parameters, len(buffers) - 1
        tensors.append(bias)
        return len(tensors) - 1

    def _constant(self, index: int, name: str) -> int:
        original = self._old.buffers[self._old.subgraphs[0].tensors[index].buffer]
        self.buffers.append(copy.deepcopy(original))
        return self._take(index, name, buffer=len(self.buffers) - 1)

    def _take(self, index: int, name: str, *, buffer: int) -> int:
        tensor = copy.deepcopy(self._old.subgraphs[0].tensors[index])
        tensor.name, tensor.buffer = name.encode(), buffer
        self.tensors.append(tensor)
        return len(self.tensors) - 1


def is_constant(model: Any, index: int) -> bool:
    """Return whether a tensor's values stand in the file."""
    data = model.buffers[model.subgraphs[0].tensors[index].buffer].data
    return data is not None and len(data) > 0


def values_of(model: Any, index: int) -> npt.NDArray[Any]:
    """Return a constant tensor of int8, int32 or float32."""
    tensor, types = model.subgraphs[0].tensors[index], schema().TensorType
    dtypes = {types.INT8: np.int8, types.INT32: np.int32, types.FLOAT32: np.float32}
    data = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
    return data.view(dtypes[tensor.type]).reshape(tensor.shape)


def operators_of(model: Any, weights: dict[str, Floats]) -> list[Operator]:
    """Return the operators, in the order of their data, with the layers that own them.

    Raises:
        QuantizationError: a layer's weights are not in the model, or it has an unknown operator.
    """
    raw = model.subgraphs[0].operators
    kinds = [kind_of(model, operator) for operator in raw]
    for kind in kinds:
        if kind not in ROLES:
            raise QuantizationError(
                f"the converter made a {kind}, which no layer has; expected {', '.join(ROLES)}. "
                "Is the pinned TensorFlow installed?"
            )
    left = dict(weights)
    layers: dict[int, str] = {}  # of each tensor that an operator makes
    for operator, kind in zip(raw, kinds, strict=True):
        if kind == CONVOLUTION:
            layers[operator.outputs[0]] = _claim(model, operator.inputs[1], left)
        elif kind in ("LOGISTIC", "MUL", "MAX_POOL_2D"):
            layers[operator.outputs[0]] = layers[operator.inputs[0]]
    for operator, kind in zip(raw, kinds, strict=True):
        if kind == "PAD":
            user = next(o for o in raw if operator.outputs[0] in o.inputs)
            layers[operator.outputs[0]] = layers[user.outputs[0]]
    if left:
        raise QuantizationError(f"the converted model lacks {', '.join(left)}. Export again.")
    return [Operator(layers[o.outputs[0]], k, o) for o, k in zip(raw, kinds, strict=True)]


def _claim(model: Any, index: int, left: dict[str, Floats]) -> str:
    """Return the layer whose weights these are, and take it from those that are ``left``.

    Weights are compared to half a step where they are quantised, exactly where they are not.
    """
    values, tensor = values_of(model, index), model.subgraphs[0].tensors[index]
    scale = np.float64(1)
    allowed = np.float64(0)
    if values.dtype == np.int8:
        scale = tensor.quantization.scale.astype(np.float64).reshape(-1, *[1] * (values.ndim - 1))
        allowed = 0.501 * scale
    for layer, floats in left.items():
        expected = floats.transpose(0, 2, 1)[:, None]
        if expected.shape != values.shape:
            continue
        if np.all(np.abs(values * scale - expected) <= allowed):
            del left[layer]
            return layer
    raise QuantizationError(
        f"tensor {tensor.name.decode()} {values.shape} of the converted model is no layer's "
        "weights, rounded. Is the pinned TensorFlow installed?"
    )
