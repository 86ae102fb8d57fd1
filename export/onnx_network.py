"""Any one-dimensional ONNX network -> float .tflite, held against onnxruntime.

What the file computes of constants and shapes is computed here, by ONNX's own reference. Which
dimension of an input is time the file does not say: what its operators make of it does.
"""

import itertools
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynadeep.codegen.errors import line_of
from dynadeep.export import flatbuffer
from dynadeep.export.errors import DisagreementError, ExportError, UnsupportedOpError
from dynadeep.export.float_network import float_runner
from dynadeep.export.net_golden import Form
from dynadeep.export.onnx_node import Node
from dynadeep.export.onnx_ops import LOWERINGS
from dynadeep.export.onnx_values import (
    BATCH,
    CHANNELS,
    FLAT,
    ONE,
    TIME,
    Array,
    LayoutError,
    Value,
    from_onnx,
    to_onnx,
)
from dynadeep.export.packages import load, quiet, tensorflow

MAX_DIFFERENCE = 1e-3
"""Between onnxruntime and TFLite in float, of an output's range."""

SMALLEST_RANGE = 1e-2
CHECKED = 16
FLOAT32 = 1  # of ONNX's types
DOMAINS = ("", "ai.onnx")
LAYOUTS: dict[int, tuple[tuple[str, ...], ...]] = {
    2: ((CHANNELS,), (TIME,)),
    3: ((CHANNELS, TIME), (TIME, CHANNELS)),
    4: (
        (CHANNELS, ONE, TIME),
        (CHANNELS, TIME, ONE),
        (ONE, TIME, CHANNELS),
        (TIME, ONE, CHANNELS),
        (ONE, CHANNELS, TIME),
    ),
}
"""What the dimensions behind the batch may be, the usual first, by an input's rank."""


@dataclass(frozen=True)
class End:
    """An input or output of an ONNX file, and what its dimensions are."""

    name: str
    layout: tuple[str, ...]
    shape: tuple[int, ...] = ()  # of an input; the batch is 1


@dataclass(frozen=True)
class Converted:
    """A network as a float .tflite; its inputs and outputs in the order of the ONNX file's."""

    content: bytes
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]
    proto: Any  # the onnx.ModelProto, its batch 1


def convert(path: Path, file: str) -> Converted:
    """Read and convert an ONNX file, which messages call ``file``.

    Raises:
        UnsupportedOpError: operators have no lowering; it names all of them.
        ExportError: the file is damaged, or not of one dimension.
    """
    proto = read(path, file)
    values = _computed_inputs(proto)
    shapes = [_input_shape(value, file) for value in values]
    problem = ""
    for chosen in itertools.product(*(_layouts(shape) for shape in shapes)):
        inputs = tuple(
            End(value.name, (BATCH, *layout), shape)
            for value, shape, layout in zip(values, shapes, chosen, strict=True)
        )
        try:
            return _convert(proto, inputs, file)
        except LayoutError as error:
            problem = problem or str(error)  # what the most usual layout runs into says most
    raise UnsupportedOpError(
        f"{file}: {problem or 'it has no input of 2 to 4 dimensions'}. Only one-dimensional "
        "networks run, whose values stand as [1, channels, time] or [1, time, channels]."
    )


def read(path: Path, file: str) -> Any:
    """Return an ONNX file that onnxruntime takes and whose operators are all known.

    Raises:
        UnsupportedOpError: operators have no lowering; it names all of them.
        ExportError: the file is damaged, or leaves a length open.
    """
    proto = _load(path, file)
    _check_operators(proto, file)
    for value in _computed_inputs(proto):
        _input_shape(value, file)
    return proto


def form_of(end: End) -> Form:
    """Return what an input is in files of the user's: as ONNX has it."""
    return Form(end.name, end.shape[1:], lambda values: from_onnx(values, end.layout))


def notes(converted: Converted) -> Iterator[str]:
    """Say where the board's values stand in another order than ONNX's."""
    for kind, ends in (("input", converted.inputs), ("output", converted.outputs)):
        for end in ends:
            axes = [axis for axis in end.layout if axis not in (BATCH, ONE)]
            if axes in ([CHANNELS, TIME], [FLAT]):
                yield f'{kind} "{end.name}": [time, channels] on the board, channels first in ONNX'


def check(converted: Converted, inputs: Sequence[Array], file: str) -> float:
    """Return the largest difference from onnxruntime, of an output's range, over some inputs.

    Args:
        converted: the network.
        inputs: for each of its inputs [N, time, channels]; the first ``CHECKED`` are run.
        file: as messages call the ONNX file.

    Raises:
        DisagreementError: it is over ``MAX_DIFFERENCE``.
        ExportError: onnxruntime cannot run the file.
    """
    session = _session(converted.proto.SerializeToString())
    run = float_runner(converted.content, file)
    worst = 0.0
    for number in range(min(CHECKED, len(inputs[0]))):
        series = [values[number : number + 1] for values in inputs]
        named = {
            end.name: to_onnx(values, end.layout)
            for end, values in zip(converted.inputs, series, strict=True)
        }
        expected = _run(session, [end.name for end in converted.outputs], named, file)
        computed = run([values[:, None] for values in series])
        for values, real, end in zip(computed, expected, converted.outputs, strict=True):
            output = to_onnx(values.reshape(1, *values.shape[-2:]), end.layout).reshape(real.shape)
            span = max(float(np.ptp(real)), SMALLEST_RANGE)
            worst = max(worst, float(np.abs(output - real).max()) / span)
    if not worst <= MAX_DIFFERENCE:
        raise DisagreementError(
            f"{file}: as a .tflite it differs from onnxruntime by {worst:.3g} of an output's "
            f"range, at most {MAX_DIFFERENCE:g} may be. Import a .tflite of another converter."
        )
    return worst


def _run(session: Any, outputs: list[str], inputs: dict[str, Array], file: str) -> Any:
    try:
        return session.run(outputs, inputs)
    except Exception as error:  # onnxruntime's own, of no common kind
        line = line_of(error, 300)
        raise ExportError(
            f"{file}: onnxruntime cannot run it ({line}). Export it again."
        ) from error


def _load(path: Path, file: str) -> Any:
    """Return the model with a batch of 1, as onnxruntime takes it."""
    onnx = load("onnx")
    try:
        with quiet():
            proto = onnx.load(str(path))
            _check_texts(proto)
            for value in _computed_inputs(proto):
                _fix_batch(value, file)
            _session(proto.SerializeToString())  # which checks it
            return proto
    except ExportError:
        raise
    except Exception as error:  # protobuf's, onnx's and onnxruntime's own, of no common kind
        line = line_of(error, 300)
        raise ExportError(
            f"{file}: not a whole ONNX model ({line}). Export it again; where its weights are in a "
            "file of their own, that lies beside it."
        ) from error


def _check_texts(message: Any) -> None:
    """Check that all names are text: protobuf hands on as bytes what is not UTF-8.

    Raises:
        UnicodeDecodeError: one is not.
    """
    for field, value in message.ListFields():
        if field.type in {field.TYPE_STRING, field.TYPE_MESSAGE}:
            single = isinstance(value, str | bytes) or hasattr(value, "ListFields")
            for part in (value,) if single else value:
                if field.type == field.TYPE_MESSAGE:
                    _check_texts(part)
                elif isinstance(part, bytes):
                    part.decode("utf-8")


def _session(content: bytes) -> Any:
    runtime = load("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _fix_batch(value: Any, file: str) -> None:
    """Make an open batch 1."""
    for axis, dim in enumerate(value.type.tensor_type.shape.dim):
        if dim.dim_value < 1 and axis != 0:
            raise ExportError(
                f'{file}: dimension {axis} of the input "{value.name}" is open '
                f"({dim.dim_param or '?'}). Export the network with a fixed length."
            )
        if dim.dim_value < 1:
            dim.ClearField("dim_param")
            dim.dim_value = 1


def _computed_inputs(proto: Any) -> list[Any]:
    initializers = {tensor.name for tensor in proto.graph.initializer}
    return [value for value in proto.graph.input if value.name not in initializers]


def _input_shape(value: Any, file: str) -> tuple[int, ...]:
    shape = tuple(int(dim.dim_value) for dim in value.type.tensor_type.shape.dim)
    if value.type.tensor_type.elem_type != FLOAT32 or shape[:1] != (1,):
        raise ExportError(
            f'{file}: its input "{value.name}" is {list(shape)}, expected float32 and a batch of '
            "1 or an open one. Export it so."
        )
    return shape


def _layouts(shape: tuple[int, ...]) -> list[tuple[str, ...]]:
    """Return what the dimensions behind the batch may be."""
    return [
        layout
        for layout in LAYOUTS.get(len(shape), ())
        if all(size == 1 for size, kind in zip(shape[1:], layout, strict=True) if kind == ONE)
    ]


def _check_operators(proto: Any, file: str) -> None:
    """Refuse all operators that have no lowering at once."""
    fixed = {tensor.name for tensor in proto.graph.initializer} | {""}
    missing: dict[str, list[str]] = {}
    for node in proto.graph.node:
        if _is_fixed(node, fixed):
            fixed |= set(node.output)
        elif node.op_type not in LOWERINGS or node.domain not in DOMAINS:
            missing.setdefault(node.op_type, []).append(node.name or node.output[0])
    if missing:
        nodes = "; ".join(f"{op} ({', '.join(names)})" for op, names in missing.items())
        raise UnsupportedOpError(
            f"{file}: {sum(map(len, missing.values()))} nodes have no lowering: {nodes}. Use "
            f"{', '.join(sorted(LOWERINGS))}, or import a .tflite of a converter of your own."
        )


def _is_fixed(node: Any, fixed: Container[str]) -> bool:
    """Return whether a node computes something that is the same in every run."""
    return node.domain in DOMAINS and (
        node.op_type == "Shape" or all(name in fixed for name in node.input)
    )


def _convert(proto: Any, inputs: tuple[End, ...], file: str) -> Converted:
    tf = tensorflow()
    layouts: dict[str, tuple[str, ...]] = {}

    def network(*tensors: Any) -> dict[str, Any]:
        values = {
            end.name: Value(tensor, end.layout) for end, tensor in zip(inputs, tensors, strict=True)
        }
        _lower_all(proto, values, file)
        computed = [values[output.name] for output in proto.graph.output]
        layouts.update(
            {o.name: v.layout for o, v in zip(proto.graph.output, computed, strict=True)}
        )
        return {
            f"output{index:03d}": tf.identity(value.tensor) for index, value in enumerate(computed)
        }

    signature = [
        tf.TensorSpec([1, 1, *_series_shape(end)], tf.float32, name=f"input{index:03d}")
        for index, end in enumerate(inputs)
    ]
    with quiet():
        function = tf.function(network, input_signature=signature, autograph=False)
        concrete = function.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function)
        content: bytes = converter.convert()
    outputs = tuple(End(output.name, layouts[output.name]) for output in proto.graph.output)
    return Converted(_with_names(content, inputs, outputs), inputs, outputs, proto)


def _series_shape(end: End) -> tuple[int, int]:
    sizes = dict(zip(end.layout, end.shape, strict=True))
    return sizes.get(TIME, 1), sizes.get(CHANNELS, 1)


def _with_names(content: bytes, inputs: Sequence[End], outputs: Sequence[End]) -> bytes:
    """Call the ends of a .tflite as the ONNX file does, its inputs in the same order."""
    model = flatbuffer.parse(content)
    graph = model.subgraphs[0]
    graph.inputs = sorted(graph.inputs, key=lambda index: graph.tensors[index].name)
    for indices, ends in ((graph.inputs, inputs), (graph.outputs, outputs)):
        for index, end in zip(indices, ends, strict=True):
            graph.tensors[index].name = end.name.encode()
    model.signatureDefs = None
    return flatbuffer.pack(model)


def _lower_all(proto: Any, values: dict[str, Any], file: str) -> None:
    """Run the nodes in their order; ``values`` has the inputs and gets all that is made."""
    onnx, tf = load("onnx"), tensorflow()
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in proto.graph.initializer}
    for item in proto.graph.node:
        name = item.name or item.output[0]
        if _is_fixed(item, constants.keys() | {""}):
            constants.update(_computed_now(item, constants, values, proto.opset_import))
            continue
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in item.attribute}
        inputs = tuple(values.get(key, constants.get(key)) if key else None for key in item.input)
        node = Node(file, name, item.op_type, inputs, attributes, len(item.output))
        with tf.name_scope(_scope(name)):
            lowered = _lower_one(node)
        values.update(zip(item.output, lowered, strict=False))


def _computed_now(
    item: Any, constants: dict[str, Array], values: dict[str, Any], opsets: Any
) -> dict[str, Array]:
    """Return what a node makes of constants, by ONNX's reference."""
    onnx = load("onnx")
    evaluator = load("onnx.reference").ReferenceEvaluator
    feeds = {name: constants[name] for name in item.input if name in constants}
    feeds |= {
        name: np.zeros(values[name].shape, np.float32) for name in item.input if name in values
    }
    inputs = [onnx.helper.make_tensor_value_info(name, 0, None) for name in feeds]
    outputs = [onnx.helper.make_tensor_value_info(name, 0, None) for name in item.output]
    graph = onnx.helper.make_graph([item], "one", inputs, outputs)
    model = onnx.helper.make_model(graph, opset_imports=opsets)
    computed = evaluator(model).run(None, feeds)
    return dict(zip(item.output, (np.asarray(array) for array in computed), strict=True))


def _scope(name: str) -> str:
    """Return a node's name as TensorFlow takes one."""
    return re.sub(r"[^A-Za-z0-9_./-]+", "_", name).strip("/_.-") or "node"


def _lower_one(node: Node) -> tuple[Value, ...]:
    try:
        return LOWERINGS[node.op](node)
    except LayoutError as error:
        raise LayoutError(f"node {node.name} ({node.op}) {error}") from error
    except (ValueError, TypeError, KeyError, IndexError, ArithmeticError) as error:
        line = line_of(error)
        node.refuse(f"its inputs, shapes or attributes do not fit together ({line})")
