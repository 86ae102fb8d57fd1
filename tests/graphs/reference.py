"""TFLite's reference kernels, the independent witness: every tensor of a network by its index."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tflite

from tests.codegen.tflite_builder import OPS, ModelBuilder, TensorSpec

Int8s = npt.NDArray[np.int8]
Tensors = dict[int, Int8s]


class Elu(NamedTuple):
    """An ELU that the reference kernels lack: where it stands, and its table by code + 128."""

    source: int
    target: int
    table: Int8s


def tflite_tensors(content: bytes, inputs: Sequence[Int8s]) -> Tensors:
    """Run a model; inputs are codes, also of what a QUANTIZE makes of a float input.

    TFLite has no reference registration of ELU: its only kernel is a table, which it makes here.

    Raises:
        ValueError, RuntimeError: TFLite refuses the model.
    """
    elus, content = _without_elus(content)
    tensors = _run(content, inputs, {})
    for _ in elus:  # one more is right after each round
        elu_values = {elu.target: elu.table[tensors[elu.source].astype(int) + 128] for elu in elus}
        tensors = _run(content, inputs, elu_values)
    return {at: values.ravel() for at, values in tensors.items()}


def _run(content: bytes, inputs: Sequence[Int8s], known: Tensors) -> Tensors:
    """Run a model whose last inputs are ``known``, zeros if they are not."""
    interpreter = _interpreter(content, "BUILTIN_REF")
    details = interpreter.get_input_details()
    for source, codes in zip(details, inputs, strict=False):
        values = codes.reshape(source["shape"])
        if source["dtype"] == np.float32:
            values = _real(content, source["index"], values)
        elif source["dtype"] == np.uint8:
            values = (values.astype(np.int16) + 128).astype(np.uint8)
        interpreter.set_tensor(source["index"], values)
    for source in details[len(inputs) :]:
        zeros = np.zeros(source["shape"], np.int8)
        interpreter.set_tensor(source["index"], known.get(source["index"], zeros))
    interpreter.invoke()
    tensors = [d for d in interpreter.get_tensor_details() if d["dtype"] == np.int8]
    return {d["index"]: interpreter.get_tensor(d["index"]) for d in tensors}


def _interpreter(content: bytes, resolver: str) -> Any:
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # announces that the interpreter will move
        interpreter: Any = tf.lite.Interpreter(
            model_content=content,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType[resolver],
            experimental_preserve_all_tensors=True,
        )
    interpreter.allocate_tensors()
    return interpreter


def _real(content: bytes, index: int, codes: Int8s) -> npt.NDArray[np.float32]:
    """Return the float32 input of which the QUANTIZE behind it makes ``codes``."""
    graph = tflite.Model.GetRootAs(content, 0).Subgraphs(0)
    operators = map(graph.Operators, range(graph.OperatorsLength()))
    quantized = graph.Tensors(next(op.Outputs(0) for op in operators if op.Inputs(0) == index))
    numbers = quantized.Quantization()
    real = (codes.astype(np.float64) - numbers.ZeroPoint(0)) * numbers.Scale(0)
    return real.astype(np.float32)


def _without_elus(content: bytes) -> tuple[list[Elu], bytes]:
    """Return the ELUs of a model, and the model with what they make as further inputs."""
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    (graph,) = model.subgraphs
    codes = [code.builtinCode for code in model.operatorCodes]
    elu_ops = [op for op in graph.operators if codes[op.opcodeIndex] == OPS.ELU]
    if not elu_ops:
        return [], content
    graph.operators = [op for op in graph.operators if op not in elu_ops]
    graph.inputs = [*graph.inputs, *(op.outputs[0] for op in elu_ops)]
    used = {op.opcodeIndex for op in graph.operators}
    for number, code in enumerate(model.operatorCodes):
        if number not in used:  # looked up all the same
            code.builtinCode = code.deprecatedBuiltinCode = OPS.RESHAPE
    ends = [(int(op.inputs[0]), int(op.outputs[0])) for op in elu_ops]
    elus = [
        Elu(*pair, _elu_table(*(graph.tensors[at].quantization for at in pair))) for pair in ends
    ]
    return elus, bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _elu_table(source: Any, target: Any) -> Int8s:
    """Return what TFLite's kernel makes of each code."""
    model = ModelBuilder()
    for name, codes in (("in", source), ("out", target)):
        scales, points = tuple(codes.scale), tuple(map(int, codes.zeroPoint))
        model.tensor(TensorSpec(name, (256,), scales=scales, zero_points=points))
    model.op(OPS.ELU, [0], [1])
    model.inputs, model.outputs = [0], [1]
    interpreter = _interpreter(model.build(), "BUILTIN_WITHOUT_DEFAULT_DELEGATES")
    interpreter.set_tensor(0, np.arange(-128, 128).astype(np.int8))
    interpreter.invoke()
    table: Int8s = interpreter.get_tensor(1)
    return table
