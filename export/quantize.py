"""TensorFlow -> int8 TFLite, calibrated on real ECG and refused where it came out degenerate."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from dynadeep.codegen.bundle import Quantization
from dynadeep.export import flatbuffer
from dynadeep.export.calibration import dequantize
from dynadeep.export.errors import QuantizationError
from dynadeep.export.onnx import output_layers, weights_of
from dynadeep.export.packages import load, quiet, tensorflow
from dynadeep.export.ranges import negative_ends
from dynadeep.export.sigmoids import settle_sigmoids
from dynadeep.export.tensorflow import lower

HEAD = "head"
"""Layers that predict an error are called this and their level's name."""

SIGMOID = Quantization(scale=1 / 256, zero_point=-128)
"""The output of LOGISTIC, fixed by TFLite's int8 specification."""

RANGE_WINDOWS = 64
"""Windows, at most, from which the lower ends of the convolutions' ranges are chosen."""

SMALLEST_SCALE = 1e-6
"""Below it a tensor carries nothing: the network is untrained, or one of its layers has died."""

LARGEST_ERROR_SCALE = 0.5
LARGEST_ERROR = 255 * LARGEST_ERROR_SCALE
"""255 steps of a predicted error must stay below 128, the largest error on the device."""

ERROR_HEADROOM = 2.0
"""Predicted errors go this far beyond the largest one in calibration: a segment worse than any
seen must not saturate below a bound that it breaks."""


def quantize(
    proto: onnx.ModelProto, inputs: npt.NDArray[np.int8], quantization: Quantization
) -> bytes:
    """Convert the encoder to full int8.

    Args:
        proto: the encoder, from ``export_encoder``.
        inputs: int8 [N, T], real ECG as the board sees it.
        quantization: what ``inputs`` mean, and what the model's input will be.

    Returns:
        The .tflite, the same bytes for the same arguments.

    Raises:
        UnsupportedOpError: an operation has no lowering.
        QuantizationError: a scale is degenerate or not what it has to be.
    """
    windows = dequantize(inputs, quantization)
    ends = negative_ends(proto, windows[:: _stride(len(windows))])
    calibrated = _with_ranges(proto, _calibrate(lower(proto), windows), ends)
    converted = _to_int8(_with_input_range(calibrated, quantization))
    readable = flatbuffer.canonical(converted, weights_of(proto), output_layers(proto))
    content = settle_sigmoids(readable)
    check(content, quantization)
    return content


def _stride(count: int) -> int:
    return -(-count // RANGE_WINDOWS)


def _calibrate(function: Any, windows: npt.NDArray[np.float32]) -> bytes:
    """Return the float .tflite in which every tensor has the range that ``windows`` give it."""

    def batches() -> Iterator[list[npt.NDArray[np.float32]]]:
        for window in windows:
            yield [window.reshape(1, 1, -1, 1)]

    tf = tensorflow()
    with quiet():
        concrete = function.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = batches
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        # The converter's two halves are run one by one, to set ranges in between.
        converter._experimental_calibrate_only = True
        content: bytes = converter.convert()
    return content


def _with_ranges(proto: onnx.ModelProto, content: bytes, ends: dict[str, float]) -> bytes:
    """Set the lower ends of the convolutions' outputs and the upper ends of predicted errors."""
    model = flatbuffer.parse(content)
    tensors = model.subgraphs[0].tensors
    for operator in flatbuffer.operators_of(model, weights_of(proto)):
        output = tensors[operator.raw.outputs[0]].quantization
        if operator.kind != flatbuffer.CONVOLUTION:
            continue
        if operator.layer in ends:
            output.min = np.array([ends[operator.layer]], np.float32)
        elif operator.layer.startswith(HEAD):
            largest = float(output.max[0])
            output.max = np.array(
                [max(largest, min(ERROR_HEADROOM * largest, LARGEST_ERROR))], np.float32
            )
    return flatbuffer.pack(model)


def _with_input_range(content: bytes, quantization: Quantization) -> bytes:
    """Set the input's range to the values of codes -128 and 127, whatever was seen."""
    model = flatbuffer.parse(content)
    segment = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].quantization
    lowest = (-128 - quantization.zero_point) * quantization.scale
    segment.min = np.array([lowest], np.float32)
    segment.max = np.array([lowest + 255 * quantization.scale], np.float32)
    return flatbuffer.pack(model)


def _to_int8(calibrated: bytes) -> bytes:
    """Run the converter's quantiser: all int8, weights scaled per channel."""
    tf = tensorflow()
    convert = load("tensorflow.lite.python.convert")
    with quiet():
        content: bytes = convert.mlir_quantize(
            calibrated, input_data_type=tf.int8, output_data_type=tf.int8
        )
    return content


def quantizations(content: bytes) -> dict[str, Quantization]:
    """Return the quantisation of every computed tensor, the input included, by name."""
    model = flatbuffer.parse(content)
    graph = model.subgraphs[0]
    computed = [*graph.inputs, *(op.outputs[0] for op in graph.operators)]
    return {graph.tensors[i].name.decode(): _quantization(graph.tensors[i]) for i in computed}


def operator_counts(content: bytes) -> dict[str, int]:
    """Return how often each operator occurs."""
    model = flatbuffer.parse(content)
    kinds = (flatbuffer.kind_of(model, op) for op in model.subgraphs[0].operators)
    return dict(sorted(Counter(kinds).items()))


def check(content: bytes, expected_input: Quantization) -> None:
    """Refuse a model whose scales the rest of the kit cannot work with.

    Raises:
        QuantizationError: it names the tensor, its scale and what to do.
    """
    by_tensor = quantizations(content)
    _require(by_tensor, flatbuffer.INPUT, expected_input)
    for name, quantization in by_tensor.items():
        if name.endswith("/sigmoid"):
            _require(by_tensor, name, SIGMOID)
        if not SMALLEST_SCALE <= quantization.scale < np.inf:
            raise QuantizationError(
                f"encoder.tflite: tensor {name} has scale {quantization.scale:g}, under "
                f"{SMALLEST_SCALE:g}: it is constant over the calibration windows. "
                "Is the network trained? A head that always predicts 0 has died: train it again."
            )
        if name.startswith(HEAD):
            _check_error(name, quantization)


def _check_error(name: str, quantization: Quantization) -> None:
    if quantization.zero_point != -128 or quantization.scale > LARGEST_ERROR_SCALE:
        raise QuantizationError(
            f"encoder.tflite: {name} has scale {quantization.scale:g} and zero point "
            f"{quantization.zero_point}; a predicted error needs zero point -128 and a scale of at "
            f"most {LARGEST_ERROR_SCALE}. Train the heads in another unit."
        )


def _require(by_tensor: dict[str, Quantization], name: str, expected: Quantization) -> None:
    if by_tensor[name] != _rounded(expected):
        raise QuantizationError(
            f"encoder.tflite: tensor {name} has scale {by_tensor[name].scale!r} and zero point "
            f"{by_tensor[name].zero_point}, "
            f"it must be {expected.scale!r} and {expected.zero_point}. "
            "Is the pinned TensorFlow installed?"
        )


def _rounded(quantization: Quantization) -> Quantization:
    """Return a quantisation with its scale as a .tflite holds it, in float32."""
    return Quantization(float(np.float32(quantization.scale)), quantization.zero_point)


def _quantization(tensor: Any) -> Quantization:
    parameters = tensor.quantization
    if parameters is None or parameters.scale is None or len(parameters.scale) != 1:
        raise QuantizationError(
            f"encoder.tflite: tensor {tensor.name.decode()} was left in floating point. "
            "Is the pinned TensorFlow installed?"
        )
    return Quantization(float(parameters.scale[0]), int(parameters.zeroPoint[0]))
