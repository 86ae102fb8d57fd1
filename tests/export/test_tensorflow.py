import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn

from dynadeep.export.errors import UnsupportedOpError
from dynadeep.export.onnx import INPUT, export_encoder, open_session
from dynadeep.export.tensorflow import lower, padding_mode
from dynadeep.train.input_map import as_tensor
from dynadeep.train.model import DynamicDeep


def one_convolution(layer: nn.Conv1d, samples: int) -> onnx.ModelProto:
    """Return an ONNX graph of one node, ``layer/conv``: segment [1, C, T] -> y."""
    weights = numpy_helper.from_array(layer.weight.detach().numpy(), "layer.weight")
    bias = numpy_helper.from_array(layer.bias.detach().numpy(), "layer.bias")
    pads, strides = [*layer.padding, *layer.padding], list(layer.stride)
    inputs = [INPUT, weights.name, bias.name]
    node = helper.make_node("Conv", inputs, ["y"], "layer/conv", pads=pads, strides=strides)
    segment = helper.make_tensor_value_info(INPUT, 1, [1, layer.in_channels, samples])
    output = helper.make_tensor_value_info("y", 1, None)
    return helper.make_model(
        helper.make_graph([node], "one", [segment], [output], initializer=[weights, bias])
    )


def test_tensorflow_computes_what_onnx_computes_on_real_windows(encoder, loaded, windows):
    function, session = lower(encoder), open_session(encoder)
    names = [output.name for output in encoder.graph.output]
    for window in loaded.input_map.apply(as_tensor(windows)).numpy():
        expected = session.run(names, {INPUT: window[None]})
        computed = function(window.reshape(1, 1, -1, 1))
        for name, values in zip(names, expected, strict=True):
            np.testing.assert_allclose(computed[name].numpy().ravel(), values.ravel(), atol=1e-4)


@pytest.mark.parametrize(
    ("samples", "kernel", "stride", "padding", "mode"),
    [
        (2000, 3, 1, 1, "SAME"),
        (1000, 1, 1, 0, "VALID"),
        (2000, 3, 2, 1, "PAD"),
        (1000, 5, 2, 2, "PAD"),
        (125, 5, 2, 1, "PAD"),
        (125, 5, 2, 2, "SAME"),
        (62, 7, 2, 3, "PAD"),
        (100, 5, 1, 1, "PAD"),
    ],
)
def test_padding_is_same_only_where_both_sides_agree(samples, kernel, stride, padding, mode):
    assert padding_mode(samples, kernel, stride, padding, padding) == mode


@pytest.mark.parametrize("samples", [9, 10, 11])
@pytest.mark.parametrize("kernel", [1, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_chosen_padding_computes_what_pytorch_computes(samples, kernel, stride, padding):
    torch.manual_seed(0)
    x, layer = torch.randn(1, 2, samples), nn.Conv1d(2, 3, kernel, stride, padding)
    expected = layer(x).detach().numpy()
    computed = lower(one_convolution(layer, samples))(x.numpy().transpose(0, 2, 1)[:, None])["y"]
    np.testing.assert_allclose(computed.numpy()[:, 0].transpose(0, 2, 1), expected, atol=1e-5)


def test_pooling_computes_what_pytorch_computes():
    class Pools(DynamicDeep):
        def forward(self, x):
            y = self.encoder.conv1(x)
            return tuple(torch.nn.functional.max_pool1d(y, steps) for steps in (7, 4, 5, 8))

    torch.manual_seed(0)
    model, x = Pools().eval(), torch.randn(1, 1, 2000)
    computed = lower(export_encoder(model))(x.numpy().transpose(0, 2, 1)[:, None])
    assert len(computed) == 4
    for expected, pooled in zip(model(x), computed.values(), strict=True):
        values = pooled.numpy()[:, 0].transpose(0, 2, 1)
        np.testing.assert_allclose(values, expected.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("form", [{"stride": 2}, {"padding": 1}, {"ceil_mode": True}])
def test_pooling_with_other_windows_is_refused(form):
    class Pools(DynamicDeep):
        def forward(self, x):
            return (torch.nn.functional.max_pool1d(self.encoder.conv1(x), 3, **form),) * 4

    with pytest.raises(UnsupportedOpError, match="windows that overlap or are padded"):
        lower(export_encoder(Pools())).get_concrete_function()


def test_an_operation_without_lowering_is_refused_by_name():
    class WithTanh(DynamicDeep):
        def forward(self, x):
            return (torch.tanh(self.encoder.conv1(x)),) * 4

    odd = export_encoder(WithTanh())
    with pytest.raises(UnsupportedOpError) as caught:
        lower(odd).get_concrete_function()
    message = str(caught.value)
    assert "node conv1/tanh (Tanh, PyTorch module encoder.conv1) has no lowering" in message
    assert "LOWERINGS in export/tensorflow.py" in message


def test_a_grouped_convolution_is_refused_with_its_module(encoder):
    grouped = onnx.ModelProto()
    grouped.CopyFrom(encoder)
    node = grouped.graph.node[0]
    next(a for a in node.attribute if a.name == "group").i = 2
    with pytest.raises(UnsupportedOpError, match=r"conv1/conv .*encoder\.conv1\) is grouped"):
        lower(grouped).get_concrete_function()


def test_flattening_several_channels_is_refused_because_their_order_differs():
    class Flattens(DynamicDeep):
        def forward(self, x):
            return (self.encoder.conv1(x).flatten(1),) * 4

    with pytest.raises(UnsupportedOpError, match="flattens 8 channels x 2000 samples"):
        lower(export_encoder(Flattens())).get_concrete_function()


def test_a_reshape_that_does_not_flatten_is_refused():
    class Splits(DynamicDeep):
        def forward(self, x):
            return (self.encode(x)[0].reshape(1, 2, 31),) * 4

    with pytest.raises(UnsupportedOpError, match=r"reshapes 62 samples to \[1, 2, 31\]"):
        lower(export_encoder(Splits())).get_concrete_function()


def test_a_linear_layer_behind_another_is_refused_because_it_reads_channels():
    class TwoLinear(DynamicDeep):
        def __init__(self):
            super().__init__()
            self.deep = nn.Sequential(nn.Linear(62, 4), nn.Linear(4, 1))

        def forward(self, x):
            return (self.deep(self.encode(x)[0].flatten(1)),) * 4

    with pytest.raises(UnsupportedOpError, match="4 inputs and reads 1 samples x 4 channels"):
        lower(export_encoder(TwoLinear())).get_concrete_function()
