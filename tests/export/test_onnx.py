from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from dynadeep.export.calibration import Samples
from dynadeep.export.errors import DisagreementError
from dynadeep.export.onnx import (
    check_decoder,
    check_encoder,
    decoded_of,
    export_decoder,
    export_encoder,
    module_of,
    open_session,
    within,
)
from dynadeep.train.checkpoint import Checkpoint
from dynadeep.train.input_map import as_tensor
from dynadeep.train.model import DynamicDeep


@pytest.fixture(scope="module")
def inputs(loaded: Checkpoint, windows: Samples) -> np.ndarray:
    return loaded.input_map.apply(as_tensor(windows)).numpy()


@pytest.fixture(scope="module")
def decoder(model: DynamicDeep) -> onnx.ModelProto:
    return export_decoder(model)


def test_onnx_encoder_computes_what_pytorch_computes_on_real_windows(model, encoder, inputs):
    assert check_encoder(model, encoder, inputs) <= 1e-4


def test_onnx_decoder_computes_what_pytorch_computes_on_real_windows(model, decoder, inputs):
    assert check_decoder(model, decoder, inputs) <= 1e-4


def test_errors_in_percent_are_held_against_their_own_range():
    expected = np.linspace(0, 98, 32, dtype=np.float32)[:, None]
    near = expected * np.float32(1 + 4e-6)  # as far as float32 sums in another order differ
    assert 1e-4 < float(np.abs(near - expected).max()) < 1e-3
    assert within([expected], [near], "encoder.onnx") < 1e-5
    with pytest.raises(DisagreementError, match=r"of an output's range, allowed are 0\.0001"):
        within([expected / 98], [expected / 98 + np.float32(2e-4)], "encoder.onnx")


def test_an_encoder_with_one_changed_weight_is_refused(model, encoder, inputs):
    changed = onnx.ModelProto()
    changed.CopyFrom(encoder)
    first = changed.graph.initializer[0]
    weights = numpy_helper.to_array(first).copy()
    weights.flat[0] += 0.5
    first.CopyFrom(numpy_helper.from_array(weights, first.name))
    with pytest.raises(DisagreementError, match=r"encoder\.onnx: differs from PyTorch by up to"):
        check_encoder(model, changed, inputs)


def test_each_level_has_a_plain_input_that_any_tool_sees(model, decoder):
    session = open_session(decoder)
    codes = {f"latent{level.name}": level.codes for level in model.config.levels}
    assert {value.name: value.shape[-1] for value in session.get_inputs()} == codes
    assert session.get_overridable_initializers() == []
    last = model.config.levels[-1]
    latent = np.random.default_rng(0).normal(size=(3, 1, last.codes)).astype(np.float32)
    decoded = decoded_of(session, last.name, latent)
    with torch.no_grad():
        expected = model.decoder.decode(torch.from_numpy(latent), last.name).numpy()
    np.testing.assert_allclose(decoded, expected, atol=1e-4)


def test_operations_are_eighteen_convolutions_with_silu_and_two_heads(encoder):
    ops = [node.op_type for node in encoder.graph.node]
    assert {op: ops.count(op) for op in ops} == {
        "Conv": 18,
        "Sigmoid": 18,
        "Mul": 18,
        "Reshape": 2,
        "Gemm": 2,
        "Relu": 2,
    }


def test_nodes_are_named_after_the_pytorch_modules_that_they_come_from(model, encoder):
    modules = dict(model.named_modules())
    for node in encoder.graph.node:
        assert module_of(node) in modules
        assert node.name.split("/")[0] == module_of(node).split(".")[-1]
    assert len({node.name for node in encoder.graph.node}) == len(encoder.graph.node)


def test_the_same_network_gives_the_same_bytes(model, encoder):
    again = export_encoder(model).SerializeToString(deterministic=True)
    assert again == encoder.SerializeToString(deterministic=True)


def test_no_path_of_the_machine_is_in_the_models(encoder, decoder):
    for proto in (encoder, decoder):
        content = proto.SerializeToString()
        assert b"site-packages" not in content
        assert str(Path(__file__).parents[2]).encode() not in content
