"""The kernels against TFLite's own reference kernels, on random layers."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import tflite

from tests.codegen.tflite_builder import INT32, ModelBuilder, TensorSpec
from tests.firmware.harness import Harness
from tests.firmware.reference import Conv1d

Int8 = npt.NDArray[np.int8]
CASES = 12


def fixed_multiplier(real: float) -> tuple[int, int]:
    """Return the 31-bit mantissa and the shift of a real multiplier."""
    mantissa, shift = math.frexp(real)
    fixed = math.floor(mantissa * (1 << 31) + 0.5)
    return (fixed >> 1, shift + 1) if fixed == 1 << 31 else (fixed, shift)


def multipliers(
    scale_in: float, scales: tuple[float, ...], scale_out: float
) -> tuple[npt.NDArray[np.int64], Int8]:
    """Return what TFLite computes from float32 scales, in float64."""
    wide_in, wide_out = float(np.float32(scale_in)), float(np.float32(scale_out))
    pairs = [fixed_multiplier(wide_in * float(np.float32(s)) / wide_out) for s in scales]
    mantissas, shifts = zip(*pairs, strict=True)
    return np.array(mantissas, np.int64), np.array(shifts, np.int8)


def run_tflite(builder: ModelBuilder, x: Int8) -> Int8:
    tensorflow = pytest.importorskip("tensorflow", reason="the export extra is not installed")
    kind = tensorflow.lite.experimental.OpResolverType.BUILTIN_REF
    interpreter = tensorflow.lite.Interpreter(
        model_content=builder.build(), experimental_op_resolver_type=kind
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(builder.inputs[0], x)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(builder.outputs[0]), np.int8)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(CASES))
def test_convolution_equals_tflites_reference_kernel(harness: Harness, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kernel, stride = int(rng.integers(1, 12)), int(rng.integers(1, 5))
    in_channels, channels = int(rng.integers(1, 40)), int(rng.integers(1, 40))
    length = int(rng.integers(kernel, 60))
    weights = rng.integers(-127, 128, (channels, kernel, in_channels)).astype(np.int8)
    bias = rng.integers(-(1 << 14), 1 << 14, channels)
    x = rng.integers(-128, 128, (length, in_channels)).astype(np.int8)
    scales = tuple(rng.uniform(1e-4, 1e-2, channels))
    scale_in, scale_out = float(rng.uniform(0.01, 0.1)), float(rng.uniform(0.05, 0.5))
    zero_in, zero_out = int(rng.integers(-128, 128)), int(rng.integers(-128, 128))
    out_length = (length - 1) // stride + 1
    padding = max((out_length - 1) * stride + kernel - length, 0)

    builder = ModelBuilder()
    shape_out = (1, 1, out_length, channels)
    tensors = [
        TensorSpec("x", (1, 1, length, in_channels), scales=(scale_in,), zero_points=(zero_in,)),
        TensorSpec(
            "w",
            (channels, 1, kernel, in_channels),
            scales=scales,
            zero_points=(0,) * channels,
            data=weights,
        ),
        TensorSpec(
            "b",
            (channels,),
            INT32,
            tuple(scale_in * s for s in scales),
            (0,) * channels,
            data=bias.astype(np.int32),
        ),
        TensorSpec("y", shape_out, scales=(scale_out,), zero_points=(zero_out,)),
    ]
    numbers = [builder.tensor(tensor) for tensor in tensors]
    same = tflite.Padding.SAME
    builder.op(
        tflite.BuiltinOperator.CONV_2D, numbers[:3], numbers[3:], StrideW=stride, Padding=same
    )
    builder.inputs, builder.outputs = numbers[:1], numbers[3:]
    expected = run_tflite(builder, x[np.newaxis, np.newaxis])

    mantissas, shifts = multipliers(scale_in, scales, scale_out)
    conv = Conv1d(
        weights, bias, mantissas, shifts, out_length, stride, padding // 2, zero_in, zero_out
    )
    np.testing.assert_array_equal(harness.conv1d(conv, x), expected[0, 0])
    np.testing.assert_array_equal(conv.run(x), expected[0, 0])
