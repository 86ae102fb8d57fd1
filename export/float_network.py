"""A float .tflite -> int8, by TFLite's own calibrator and quantiser."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.errors import line_of
from dynadeep.codegen.graph import Graph
from dynadeep.export.errors import ExportError, QuantizationError
from dynadeep.export.outliers import clip_ranges
from dynadeep.export.packages import load, quiet, tensorflow

Floats = npt.NDArray[np.float32]
Run = Callable[[Sequence[Floats]], list[Floats]]
"""Takes the inputs of one run in the order of the file, gives its outputs."""

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


def is_float(graph: Graph) -> bool:
    """Return whether a network computes in float from end to end."""
    computed = [tensor for node in graph.nodes for tensor in node.outputs]
    return not any(tensor.type == "INT8" for tensor in computed)


def quantize(
    content: bytes, graph: Graph, calibration: Sequence[Floats], clip: float = 0.0
) -> bytes:
    """Return a float network in int8, inputs and outputs too, weights scaled per channel.

    Args:
        content: the float .tflite.
        graph: what it holds.
        calibration: real values for each input, [N, *shape], in the order of the file.
        clip: the share of each inner tensor's values that may lie beyond its range.

    Raises:
        QuantizationError: TFLite's quantiser refuses it.
    """
    tf = tensorflow()
    calibrator = load("tensorflow.lite.python.optimize.calibrator")
    converter = load("tensorflow.lite.python.convert")

    def batches() -> Iterator[list[Floats]]:
        for number in range(len(calibration[0])):
            yield [values[number][None] for values in calibration]

    try:
        with quiet():
            calibrated = calibrator.Calibrator(content).calibrate(batches)
            if clip:
                calibrated = clip_ranges(calibrated, calibration, clip)
            quantized: bytes = converter.mlir_quantize(
                calibrated, input_data_type=tf.int8, output_data_type=tf.int8
            )
    except Exception as error:  # the converter's own kinds, and what its native code raises
        line = line_of(error, 300)
        raise QuantizationError(
            f"{graph.file}: TFLite's quantiser does not take it ({line}). "
            "Quantise it with your own converter, and import the int8 .tflite."
        ) from error
    return quantized


def refuse_dynamic_range(graph: Graph) -> None:
    """Refuse a network whose weights are quantised and whose activations are not.

    Raises:
        QuantizationError: it names the first operator that has such weights.
    """
    for node in graph.nodes:
        weights = node.inputs[1] if node.kind in WEIGHTED and len(node.inputs) > 1 else None
        if weights is not None and weights.data is not None and weights.type != "FLOAT32":
            raise QuantizationError(
                f'{graph.file}: op {node.index} {node.kind}, tensor "{node.outputs[0].name}": its '
                f'weights "{weights.name}" are {weights.type} beside float activations (dynamic '
                "range). Convert the network without optimizations, or to full int8."
            )


def float_runner(content: bytes, file: str = "model.tflite") -> Run:
    """Return a float network as a function.

    Raises:
        ExportError: TFLite cannot run the file.
    """
    try:
        with quiet():
            interpreter: Any = tensorflow().lite.Interpreter(model_content=content)
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        line = line_of(error, 300)
        raise ExportError(
            f"{file}: TFLite does not run it ({line}). Convert the network again."
        ) from error
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()

    def run(values: Sequence[Floats]) -> list[Floats]:
        for detail, value in zip(inputs, values, strict=True):
            interpreter.set_tensor(detail["index"], value.reshape(detail["shape"]))
        interpreter.invoke()
        return [interpreter.get_tensor(detail["index"]) for detail in outputs]

    return run
