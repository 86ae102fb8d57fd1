"""Ranges without the rarest values: what the inner tensors lose, and what the network gains."""

from typing import Any

import numpy as np
import pytest

from dynadeep.export import flatbuffer
from dynadeep.export.outliers import clip_ranges
from dynadeep.export.packages import load, quiet, tensorflow

Array = np.ndarray[Any, np.dtype[np.float32]]
SHAPE = (1, 1, 100, 1)


@pytest.fixture(scope="module")
def calibration() -> Array:
    """Noise with one value in a thousand a hundred times as large."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, *SHAPE)).astype(np.float32)
    values.reshape(-1)[500::1000] *= 100
    return values


@pytest.fixture(scope="module")
def calibrated(calibration: Array) -> bytes:
    """Two convolutions of one tap: a factor of 2, one of 3."""
    tf = tensorflow()

    def compute(x: Any) -> Any:
        doubled = tf.nn.relu(tf.nn.conv2d(x, np.full((1, 1, 1, 1), 2, np.float32), 1, "VALID"))
        return tf.nn.conv2d(doubled, np.full((1, 1, 1, 1), 3, np.float32), 1, "VALID")

    function = tf.function(compute, input_signature=[tf.TensorSpec(SHAPE)], autograph=False)
    with quiet():
        concrete = function.get_concrete_function()
        content = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function).convert()
        calibrator = load("tensorflow.lite.python.optimize.calibrator").Calibrator(content)
        ranged: bytes = calibrator.calibrate(lambda: ([row] for row in calibration))
    return ranged


def ranges(content: bytes) -> list[tuple[float, float]]:
    """Return the ranges of the input and of what each operator makes."""
    graph = flatbuffer.parse(content).subgraphs[0]
    tensors = [graph.inputs[0], *(operator.outputs[0] for operator in graph.operators)]
    quantizations = [graph.tensors[index].quantization for index in tensors]
    return [
        (float(quantization.min[0]), float(quantization.max[0])) for quantization in quantizations
    ]


def test_inner_ranges_leave_out_the_outermost_values(calibrated: bytes, calibration: Array) -> None:
    whole, clipped = ranges(calibrated), ranges(clip_ranges(calibrated, [calibration], 0.01))
    assert clipped[1][0] == whole[1][0] == 0
    inner = np.maximum(2 * calibration, 0)
    assert clipped[1][1] == pytest.approx(float(np.quantile(inner, 0.995)), rel=1e-5)
    assert clipped[1][1] < whole[1][1] / 10


def test_the_ends_keep_their_whole_ranges(calibrated: bytes, calibration: Array) -> None:
    whole, clipped = ranges(calibrated), ranges(clip_ranges(calibrated, [calibration], 0.01))
    assert (clipped[0], clipped[-1]) == (whole[0], whole[-1])


def test_no_share_leaves_every_range_as_it_was(calibrated: bytes, calibration: Array) -> None:
    assert ranges(clip_ranges(calibrated, [calibration], 0.0)) == ranges(calibrated)
