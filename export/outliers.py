"""Narrow a calibrated network's ranges: the rarest values would cost all others their steps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dynadeep.export import flatbuffer
from dynadeep.export.packages import quiet, tensorflow

Floats = npt.NDArray[np.float32]

RUNS = 64
"""Calibration inputs, at most, from which the ranges are chosen."""
VALUES = 4096
"""Values of a tensor, at most, that are kept of each run."""


def clip_ranges(calibrated: bytes, calibration: Sequence[Floats], share: float) -> bytes:
    """Return a calibrated float .tflite whose ranges leave out the outermost values.

    Those of the network's inputs and outputs stay whole.

    Args:
        calibrated: the float .tflite with the range of every tensor.
        calibration: real values for each input, [N, *shape], in the order of the file.
        share: of a tensor's values that may lie outside of its range, half of it at each end.
    """
    model = flatbuffer.parse(calibrated)
    graph = model.subgraphs[0]
    ends = {*graph.inputs, *graph.outputs}
    inner = sorted({int(i) for op in graph.operators for i in op.outputs} - ends)
    ranged = [i for i in inner if _has_range(graph.tensors[i])]
    for index, values in zip(ranged, _values(calibrated, calibration, ranged), strict=True):
        low, high = np.quantile(values, [share / 2, 1 - share / 2])
        ranges = graph.tensors[index].quantization
        ranges.min = np.array([max(float(ranges.min[0]), low)], np.float32)
        ranges.max = np.array([min(float(ranges.max[0]), high)], np.float32)
    return flatbuffer.pack(model)


def _has_range(tensor: Any) -> bool:
    ranges = tensor.quantization
    return ranges is not None and ranges.min is not None and len(ranges.min) == 1


def _values(content: bytes, calibration: Sequence[Floats], indices: Sequence[int]) -> list[Floats]:
    """Return some of what the tensors hold over calibration inputs, spread evenly."""
    with quiet():
        interpreter: Any = tensorflow().lite.Interpreter(
            model_content=content, experimental_preserve_all_tensors=True
        )
        interpreter.allocate_tensors()
    inputs = interpreter.get_input_details()
    samples: list[list[Floats]] = [[] for _ in indices]
    for row in range(0, len(calibration[0]), -(-len(calibration[0]) // RUNS)):
        for detail, values in zip(inputs, calibration, strict=True):
            interpreter.set_tensor(detail["index"], values[row].reshape(detail["shape"]))
        interpreter.invoke()
        for index, sample in zip(indices, samples, strict=True):
            flat = interpreter.get_tensor(index).ravel()
            sample.append(flat[:: -(-flat.size // VALUES)].copy())
    return [np.concatenate(sample) for sample in samples]
