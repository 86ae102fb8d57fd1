import numpy as np
import pytest
import torch

from dynadeep.codegen.bundle import InputMap, Quantization
from dynadeep.codegen.numerics import map_input
from dynadeep.export.accuracy import float_tensors
from dynadeep.export.calibration import INPUT_QUANTIZATION, dequantize
from dynadeep.export.errors import QuantizationError
from dynadeep.export.input_map import integer_map
from dynadeep.export.onnx import export_encoder
from dynadeep.export.quantize import check, operator_counts, quantizations, quantize
from dynadeep.train.model import DynamicDeep

AFFINE = INPUT_QUANTIZATION["affine"]


@pytest.fixture(scope="module")
def inputs(loaded, windows):
    return map_input(windows, integer_map(loaded.input_map))


@pytest.fixture(scope="module")
def content(encoder, inputs) -> bytes:
    return quantize(encoder, inputs, AFFINE)


def test_two_conversions_of_one_network_give_the_same_bytes(encoder, inputs, content):
    assert quantize(encoder, inputs, AFFINE) == content


def test_operators_are_the_expected_ones_and_nothing_was_fused_away(content):
    assert operator_counts(content) == {
        "CONV_2D": 20,
        "LOGISTIC": 18,
        "MUL": 18,
        "PAD": 6,
    }


def test_affine_input_is_exactly_one_code_per_128th(content):
    assert quantizations(content)["segment"] == Quantization(1 / 128, 0)


def test_minmax_input_is_255_steps_from_the_lowest_code(encoder, windows):
    by_window = map_input(windows, InputMap("minmax"))
    by_tensor = quantizations(quantize(encoder, by_window, INPUT_QUANTIZATION["minmax"]))
    assert by_tensor["segment"] == Quantization(float(np.float32(1 / 255)), -128)


def test_every_sigmoid_has_its_fixed_scale(content):
    sigmoids = {q for name, q in quantizations(content).items() if name.endswith("/sigmoid")}
    assert sigmoids == {Quantization(1 / 256, -128)}


def test_predicted_errors_start_at_zero_and_step_by_at_most_a_half(content):
    by_tensor = quantizations(content)
    for head in ("head32/conv", "head64/conv"):
        assert by_tensor[head].zero_point == -128
        assert by_tensor[head].scale <= 0.5


def test_predicted_errors_reach_twice_as_far_as_in_calibration(encoder, inputs, content):
    floats = float_tensors(encoder, dequantize(inputs, AFFINE))
    for head in ("head32", "head64"):
        largest = 255 * quantizations(content)[f"{head}/conv"].scale
        assert largest == pytest.approx(min(2 * floats[f"{head}/relu"].max(), 127.5), rel=1e-3)


def test_input_scale_is_pinned_whatever_the_windows_reach(encoder, inputs):
    quiet = quantize(encoder, inputs // 2, AFFINE)
    assert quantizations(quiet)["segment"] == Quantization(1 / 128, 0)


def test_a_model_with_another_input_scale_is_refused(content):
    with pytest.raises(QuantizationError, match=r"tensor segment has scale .* must be 0\.25 and 0"):
        check(content, Quantization(0.25, 0))


def test_a_network_that_was_never_trained_is_refused_by_tensor(inputs):
    torch.manual_seed(0)
    with pytest.raises(QuantizationError, match=r"tensor \S+ has scale .*Is the network trained"):
        quantize(export_encoder(DynamicDeep()), inputs, AFFINE)


def test_a_head_that_died_is_refused_by_name(model, inputs):
    dead = DynamicDeep()
    dead.load_state_dict(model.state_dict())
    with torch.no_grad():
        dead.heads.head64.bias.fill_(-1000.0)
    with pytest.raises(QuantizationError, match="head64/conv"):
        quantize(export_encoder(dead), inputs, AFFINE)


def test_an_error_in_too_large_a_unit_is_refused(model, inputs):
    large = DynamicDeep()
    large.load_state_dict(model.state_dict())
    with torch.no_grad():
        large.heads.head32.bias.fill_(500.0)
    with pytest.raises(QuantizationError, match=r"head32/conv has scale .* at most 0.5"):
        quantize(export_encoder(large), inputs, AFFINE)


def test_check_accepts_what_quantize_made(content):
    check(content, AFFINE)
