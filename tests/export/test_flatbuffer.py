import numpy as np
import pytest
import tflite
import torch

from dynadeep.codegen.bundle import ENCODER_TFLITE
from dynadeep.codegen.numerics import map_input
from dynadeep.export import flatbuffer
from dynadeep.export.calibration import INPUT_QUANTIZATION
from dynadeep.export.errors import QuantizationError
from dynadeep.export.input_map import integer_map
from dynadeep.export.onnx import export_encoder, weights_of
from dynadeep.export.quantize import quantize
from dynadeep.export.reference import Reference, Witness, cross_check
from dynadeep.train.model import DynamicDeep


@pytest.fixture(scope="module")
def content(bundle) -> bytes:
    return (bundle / ENCODER_TFLITE).read_bytes()


def test_tensors_are_named_by_layer_and_role_in_the_order_of_the_data(content):
    graph = flatbuffer.parse(content).subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    assert names[:9] == [
        "segment",
        "conv1/weights",
        "conv1/bias",
        "conv1/conv",
        "conv1/sigmoid",
        "conv1/silu",
        "conv2/paddings",
        "conv2/pad",
        "conv2/weights",
    ]
    assert names[-3:] == ["head64/weights", "head64/bias", "head64/conv"]
    assert len(set(names)) == len(names)


def test_outputs_are_latents_then_predicted_errors(content):
    graph = flatbuffer.parse(content).subgraphs[0]
    assert [graph.tensors[i].name.decode() for i in graph.outputs] == [
        "latent32/silu",
        "latent64/silu",
        "head32/conv",
        "head64/conv",
    ]


def test_each_layer_holds_the_networks_own_weights_to_half_a_step(content, encoder):
    model = flatbuffer.parse(content)
    graph = model.subgraphs[0]
    index = {tensor.name.decode(): i for i, tensor in enumerate(graph.tensors)}
    for layer, floats in weights_of(encoder).items():
        weights = index[f"{layer}/weights"]
        codes = flatbuffer.values_of(model, weights).reshape(len(floats), -1)
        scale = graph.tensors[weights].quantization.scale.reshape(-1, 1)
        order = floats.transpose(0, 2, 1).reshape(len(floats), -1)
        assert np.all(np.abs(codes * scale - order) <= 0.501 * scale)


def test_every_constant_starts_at_a_multiple_of_sixteen_bytes(content):
    model = tflite.Model.GetRootAs(content, 0)
    for i in range(1, model.BuffersLength()):
        field = model.Buffers(i)._tab
        offset = field.Vector(field.Offset(4))
        assert offset % 16 == 0


def test_nothing_is_left_that_varies_or_has_no_use(content):
    model = flatbuffer.parse(content)
    used = {tensor.buffer for tensor in model.subgraphs[0].tensors}
    assert used == set(range(len(model.buffers)))
    assert not model.metadata
    assert not model.signatureDefs


def test_writing_what_was_read_gives_the_same_bytes(content):
    assert flatbuffer.pack(flatbuffer.parse(content)) == content


def test_a_layer_without_bias_gets_one_of_zeros(model, windows, loaded):
    unbiased = DynamicDeep()
    unbiased.load_state_dict(model.state_dict())
    torch.nn.init.zeros_(unbiased.encoder.conv6.bias)
    inputs = map_input(windows, integer_map(loaded.input_map))
    int8_content = quantize(export_encoder(unbiased), inputs, INPUT_QUANTIZATION["affine"])
    parsed = flatbuffer.parse(int8_content)
    names = [tensor.name.decode() for tensor in parsed.subgraphs[0].tensors]
    assert not flatbuffer.values_of(parsed, names.index("conv6/bias")).any()
    cross_check(Reference(int8_content).run(inputs[:2]), Witness(int8_content).run(inputs[:2]))


def test_weights_of_another_network_are_refused(content, encoder):
    weights = weights_of(encoder)
    weights["conv7"] = weights["conv7"] + 1
    with pytest.raises(QuantizationError, match=r"conv7/weights .* is no layer's weights"):
        flatbuffer.canonical(content, weights, ["latent32"])


def test_bytes_that_are_no_tflite_are_refused():
    with pytest.raises(QuantizationError, match="TFL3 is missing"):
        flatbuffer.parse(b"PK\x03\x04 something else")
