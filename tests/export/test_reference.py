import subprocess
import sys

import numpy as np
import pytest

from dynadeep.codegen.bundle import ENCODER_TFLITE, GOLDEN
from dynadeep.codegen.golden import MAPPED, read_golden
from dynadeep.export import flatbuffer
from dynadeep.export.errors import DisagreementError, ExportError
from dynadeep.export.reference import Reference, Witness, cross_check

CONVOLUTIONS = [f"conv{i}" for i in range(1, 16)] + ["latent32", "branch64", "latent64"]
HEADS = ["head32", "head64"]


@pytest.fixture(scope="module")
def content(bundle) -> bytes:
    return (bundle / ENCODER_TFLITE).read_bytes()


@pytest.fixture(scope="module")
def golden(bundle) -> dict[str, np.ndarray]:
    vectors = read_golden(bundle / GOLDEN)
    return {MAPPED: vectors.inputs, **vectors.tensors}


@pytest.fixture(scope="module")
def reference(content) -> Reference:
    return Reference(content)


def test_reference_and_witness_agree_on_every_tensor_of_every_golden_segment(
    content, reference, golden
):
    inputs = golden[MAPPED]
    assert cross_check(reference.run(inputs), Witness(content).run(inputs)) == 63


def test_tensors_are_int8_segments_by_time_by_channels(reference, golden):
    tensors = reference.run(golden[MAPPED][:2])
    assert {values.dtype for values in tensors.values()} == {np.dtype(np.int8)}
    assert tensors["segment"].shape == (2, 2000, 1)
    assert tensors["conv2/pad"].shape == (2, 2002, 8)
    assert tensors["conv14/silu"].shape == (2, 62, 64)
    assert tensors["head32/conv"].shape == (2, 1, 1)


def test_a_run_does_not_depend_on_the_one_before(content, reference, golden):
    inputs = golden[MAPPED]
    alone = Reference(content).run(inputs[-1:])
    after = reference.run(inputs)
    for name, values in alone.items():
        assert np.array_equal(values[0], after[name][-1])


def test_one_flipped_weight_bit_is_found_and_its_layer_named(content, reference, golden):
    model = flatbuffer.parse(content)
    names = [tensor.name.decode() for tensor in model.subgraphs[0].tensors]
    weights = model.subgraphs[0].tensors[names.index("conv9/weights")]
    data = model.buffers[weights.buffer].data.copy()
    data[0] ^= 0x40
    model.buffers[weights.buffer].data = data
    inputs = golden[MAPPED][:1]
    flipped = Witness(flatbuffer.pack(model)).run(inputs)
    with pytest.raises(DisagreementError, match=r"tensor conv9/conv differs .* channel 0: "):
        cross_check(reference.run(inputs), flipped)


@pytest.mark.parametrize("layer", [*CONVOLUTIONS, *HEADS])
def test_reference_rounds_twice_as_the_integer_contract_says(content, golden, layer):
    model = flatbuffer.parse(content)
    accumulated, convolution = accumulate(model, layer, golden)
    expected = golden[f"{layer}/conv"]
    assert np.array_equal(requantise(accumulated, convolution, multiply_rounding_twice), expected)


def test_rounding_once_would_give_other_values(content, golden):
    model = flatbuffer.parse(content)
    different = 0
    for layer in CONVOLUTIONS:
        accumulated, convolution = accumulate(model, layer, golden)
        once = requantise(accumulated, convolution, multiply_rounding_once)
        different += np.count_nonzero(once != golden[f"{layer}/conv"])
    assert different > 0


def test_a_truncated_model_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / ENCODER_TFLITE
    path.write_bytes(content[: len(content) // 2])
    for runtime in (Reference, Witness):
        with pytest.raises(ExportError, match=r"not a whole \.tflite"):
            runtime(path)


def test_a_missing_model_is_refused_by_its_path(tmp_path):
    with pytest.raises(ExportError, match="no such file"):
        Reference(tmp_path / "absent.tflite")


def test_samples_that_were_not_mapped_to_int8_are_refused(reference, golden):
    with pytest.raises(ExportError, match=r"int16 \(18, 2000\), not int8"):
        reference.run(golden[MAPPED].astype(np.int16))


def test_a_segment_of_another_length_is_refused(content, reference):
    with pytest.raises(ExportError, match="1999 samples a segment, which the model does not take"):
        reference.run(np.zeros((1, 1999), np.int8))


def test_making_a_reference_prints_nothing_of_its_libraries(bundle):
    script = (
        "import sys; from pathlib import Path; "
        "from dynadeep.export.reference import Reference; Reference(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", script, str(bundle / ENCODER_TFLITE)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_reference_needs_no_pytorch():
    script = (
        "import sys; sys.modules['torch'] = None; "
        "from dynadeep.export.reference import Reference, Witness; "
        "from dynadeep.export.golden import write_golden"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def accumulate(model, layer, golden):
    """Return a convolution's int64 accumulators [N, T, F] and its operator, in plain numpy."""
    graph = model.subgraphs[0]
    operator = next(
        op
        for op in graph.operators
        if graph.tensors[op.outputs[0]].name.decode() == f"{layer}/conv"
    )
    source = graph.tensors[operator.inputs[0]]
    codes = flatbuffer.values_of(model, operator.inputs[1])[:, 0].astype(np.int64)
    inputs = golden.get(source.name.decode(), golden[MAPPED][:, :, None]).astype(np.int64)
    inputs = inputs - source.quantization.zeroPoint[0]
    _, kernel, _ = codes.shape
    stride = operator.builtinOptions.strideW
    if operator.builtinOptions.padding == 0:  # SAME
        total = max((-(-inputs.shape[1] // stride) - 1) * stride + kernel - inputs.shape[1], 0)
        inputs = np.pad(inputs, ((0, 0), (total // 2, total - total // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(inputs, kernel, axis=1)[:, ::stride]
    accumulated = np.einsum("ntck,fkc->ntf", windows, codes, optimize=True)
    bias = flatbuffer.values_of(model, operator.inputs[2])
    return accumulated + bias, operator_scales(graph, operator)


def operator_scales(graph, operator):
    """Return (multipliers, shifts, zero point) as TFLite prepares them, from doubles."""
    source, weights, _ = (graph.tensors[i].quantization for i in operator.inputs)
    output = graph.tensors[operator.outputs[0]].quantization
    real = np.float64(source.scale[0]) * np.float64(weights.scale) / np.float64(output.scale[0])
    mantissa, shift = np.frexp(real)
    fixed = np.floor(mantissa * 2**31 + 0.5).astype(np.int64)
    carried = fixed == 1 << 31
    return np.where(carried, fixed // 2, fixed), shift + carried, output.zeroPoint[0]


def requantise(accumulated, scales, multiply):
    multipliers, shifts, zero_point = scales
    scaled = multiply(accumulated, multipliers, shifts.astype(np.int64))
    return np.clip(scaled + zero_point, -128, 127).astype(np.int8)


def multiply_rounding_twice(x, multiplier, shift):
    """MultiplyByQuantizedMultiplier as gemmlowp defines it: high word rounded, then the shift."""
    product = (x << np.maximum(shift, 0)) * multiplier
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    high = np.where(nudged >= 0, nudged >> 31, -(-nudged >> 31))  # C's division truncates
    right = np.maximum(-shift, 0)
    mask = (np.int64(1) << right) - 1
    threshold = (mask >> 1) + (high < 0)
    return (high >> right) + ((high & mask) > threshold)


def multiply_rounding_once(x, multiplier, shift):
    """The same with TFLITE_SINGLE_ROUNDING."""
    total = 31 - shift
    return (x * multiplier + (np.int64(1) << (total - 1))) >> total
