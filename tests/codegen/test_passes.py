"""Folding: what disappears, and what must not."""

import numpy as np
import pytest

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.layers import Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph

from .models import OPS, Net, small_encoder
from .tflite_builder import TensorSpec


def lowered(net: Net) -> Network:
    return lower(read_graph(net.model.build()))


def test_only_convolutions_remain() -> None:
    network = lowered(small_encoder())
    names = [layer.name for layer in network.layers]
    assert names == ["conv1", "conv2", "latent32", "head32", "branch64", "latent64", "head64"]


def test_a_pad_becomes_the_border_of_its_convolution() -> None:
    layer = lowered(small_encoder()).layers[1]
    assert (layer.pad_before, layer.pad_after) == (2, 2)
    assert layer.input.name == "conv1/silu"


def test_the_zero_point_moves_into_the_bias() -> None:
    net = small_encoder()
    layer = lowered(net).layers[1]
    bias = next(spec.data for spec in net.model.tensors if spec.name == "conv2/bias")
    sums = layer.weights.reshape(len(layer.weights), -1).sum(axis=1, dtype=np.int64)
    np.testing.assert_array_equal(layer.bias, bias - layer.input.zero_point * sums)


def test_a_convolution_whose_codes_are_used_twice_is_not_folded() -> None:
    net = small_encoder()
    conv1 = next(i for i, spec in enumerate(net.model.tensors) if spec.name == "conv1/conv")
    net.model.outputs.append(conv1)
    with pytest.raises(ModelError, match=r'CONV_2D, layer "conv1".*2 of the 3 tensors'):
        lowered(net)


def test_a_sigmoid_that_follows_no_convolution_is_refused() -> None:
    net = Net(16)
    net.silu("start")
    net.model.outputs = [net.at]
    with pytest.raises(ModelError, match="has no kernel and does not follow a convolution"):
        lowered(net)


def test_a_pad_that_no_convolution_follows_is_refused() -> None:
    net = Net(16)
    net.conv("conv1", 1, 3)
    net.pad("end", 1, 1)
    net.silu("end")
    net.model.outputs = [net.at]
    with pytest.raises(ModelError, match="Only a convolution can follow a PAD"):
        lowered(net)


def test_a_pad_that_is_an_output_is_refused() -> None:
    net = Net(16)
    net.conv("conv1", 1, 3)
    net.pad("end", 1, 1)
    net.model.outputs = [net.at]
    with pytest.raises(ModelError, match="the model outputs it"):
        lowered(net)


def test_two_layers_of_one_name_in_c_are_refused() -> None:
    net = Net(16)
    net.conv("conv.1", 1, 3)
    net.conv("conv_1", 1, 3)
    net.model.outputs = [net.at]
    with pytest.raises(ModelError, match=r'"conv.1" and "conv_1" would both be called conv_1'):
        lowered(net)


def test_a_name_that_would_end_a_comment_is_refused() -> None:
    net = Net(16)
    net.conv("conv*/1", 1, 3)
    net.model.outputs = [net.at]
    with pytest.raises(ModelError, match="cannot stand in C"):
        lowered(net)


def test_a_sigmoid_alone_becomes_a_table_too() -> None:
    net = Net(16)
    net.conv("conv1", 1, 3)
    shape = net.model.tensors[net.at].shape
    sigmoid = TensorSpec("conv1/sigmoid", shape, scales=(1 / 256,), zero_points=(-128,))
    output = net.model.tensor(sigmoid)
    net.model.op(OPS.LOGISTIC, [net.at], [output])
    net.model.outputs = [output]
    layer = lowered(net).layers[0]
    assert layer.table is not None
    assert (np.diff(layer.table.astype(int)) >= 0).all()
