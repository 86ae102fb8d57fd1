"""Folding: what disappears, and what must not."""

import numpy as np
import pytest

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.layers import Network, Window
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph

from .models import OPS, Net, reshaped_encoder, small_encoder
from .tflite_builder import TensorSpec


def lowered(net: Net) -> Network:
    return lower(read_graph(net.model.build()))


def test_only_convolutions_remain() -> None:
    network = lowered(small_encoder())
    names = [layer.name for layer in network.layers]
    assert names == ["conv1", "conv2", "latent32", "head32", "branch64", "latent64", "head64"]


def test_a_pad_becomes_the_border_of_its_convolution() -> None:
    layer = lowered(small_encoder()).layers[1]
    assert layer.pad_before == 2
    assert layer.inputs[0].name == "conv1/silu"


def test_the_zero_point_moves_into_the_bias() -> None:
    net = small_encoder()
    layer = lowered(net).layers[1]
    bias = next(spec.data for spec in net.model.tensors if spec.name == "conv2/bias")
    sums = layer.weights.reshape(len(layer.weights), -1).sum(axis=1, dtype=np.int64)
    np.testing.assert_array_equal(layer.bias, bias - layer.inputs[0].zero_point * sums)


def test_a_convolution_whose_codes_are_an_output_too_keeps_them() -> None:
    net = Net(16)
    net.conv("conv1", 2, 3)
    convolved = net.at
    net.silu("conv1")
    net.model.outputs = [convolved, net.at]
    layers = lowered(net).layers
    assert [layer.words for layer in layers] == ["conv k3 s1", "SiLU"]
    assert [layer.inputs[0].name for layer in layers] == ["segment", "conv1/conv"]


def test_a_table_takes_what_leads_to_the_one_tensor_that_others_read() -> None:
    net = Net(16)
    net.conv("conv1", 2, 3)
    net.silu("conv1")
    activated = net.at
    net.silu("gate")
    net.model.outputs = [activated, net.at]
    layers = lowered(net).layers
    assert [layer.summary for layer in layers] == ["conv k3 s1, SiLU", "SiLU"]
    assert layers[1].inputs[0].name == "conv1/silu"


def test_a_tensor_inside_a_table_that_is_an_output_too_has_a_layer_of_its_own() -> None:
    net = Net(16)
    net.conv("conv1", 2, 3)
    net.silu("conv1")
    sigmoid = next(i for i, spec in enumerate(net.model.tensors) if spec.name == "conv1/sigmoid")
    net.model.outputs = [sigmoid, net.at]
    layers = lowered(net).layers
    assert [layer.summary for layer in layers] == ["conv k3 s1", "sigmoid", "mul"]


def test_a_sigmoid_that_follows_no_layer_is_a_table_of_its_own() -> None:
    net = Net(16)
    net._op(
        OPS.LOGISTIC,
        [],
        TensorSpec("sigmoid", (1, 1, 16, 1), scales=(1 / 256,), zero_points=(-128,)),
    )
    net.model.outputs = [net.at]
    (layer,) = lowered(net).layers
    assert (layer.words, layer.FUNCTION, layer.table) == ("sigmoid", "dd_move_s8", None)


def test_a_pad_that_no_convolution_follows_is_a_layer_of_its_own() -> None:
    net = Net(16)
    net.conv("conv1", 1, 3)
    net.pad("end", 1, 2)
    net.silu("end")
    net.model.outputs = [net.at]
    assert [layer.words for layer in lowered(net).layers] == ["conv k3 s1", "pad 1 + 2"]


def test_a_pad_that_is_an_output_too_is_a_border_and_a_layer() -> None:
    net = Net(16)
    net.conv("conv1", 1, 3)
    net.pad("conv2", 1, 1)
    padded = net.at
    net.conv("conv2", 1, 3)
    net.model.outputs = [padded, net.at]
    layers = lowered(net).layers
    assert [layer.words for layer in layers] == ["conv k3 s1", "pad 1 + 1", "conv k3 s1"]
    assert layers[2].pad_before == 1


def test_a_reshape_is_dropped_and_leaves_its_name_behind() -> None:
    network = lowered(reshaped_encoder())
    assert [layer.name for layer in network.layers] == [
        *("conv1", "conv2", "folded", "latent32", "head32", "latent64", "tall64", "head64")
    ]
    assert network.names["latent32/reshape"] == "latent32/silu"
    assert network.names["flat64/reshape"] == "latent64/conv"
    holder = network.tensor("head32/reshape")
    assert holder is not None
    assert holder.name == "head32/conv"


def test_a_flattened_output_is_the_tensor_that_holds_its_values() -> None:
    outputs = lowered(reshaped_encoder()).outputs
    assert [(tensor.name, tensor.shape) for tensor in outputs] == [
        ("latent32/silu", (1, 10)),
        ("latent64/silu", (1, 6)),
        ("head32/conv", (1, 1)),
        ("head64/conv", (1, 1)),
    ]


def test_a_reshape_that_changes_steps_is_a_layer_for_all_that_read_it() -> None:
    conv, reshape, latent = lowered(reshaped_encoder()).layers[1:4]
    assert reshape.inputs[0].name == conv.output.name == "conv2/silu"
    assert (conv.output.time, conv.output.channels) == (20, 5)
    assert (reshape.words, reshape.windows[0]) == ("reshape", Window(2, 10, 0, 5))
    assert latent.inputs[0].name == reshape.output.name == "folded/reshape"
    assert (latent.inputs[0].time, latent.inputs[0].channels) == (10, 10)


def test_a_reshape_amid_an_activation_leaves_the_convolution_its_shape() -> None:
    layer = lowered(reshaped_encoder()).layers[5]
    assert layer.folded == ("LOGISTIC", "MUL")
    assert (layer.output.name, layer.output.time, layer.output.channels) == ("latent64/silu", 3, 2)


def test_a_reshaped_segment_is_the_segment() -> None:
    net = Net(16)
    net.model.tensors[0].shape = (1, 16)
    net.reshape("series", 1, 1, 16, 1)
    net.conv("conv1", 1, 3)
    net.model.outputs = [net.at]
    layer = lowered(net).layers[0]
    assert (layer.inputs[0].name, layer.inputs[0].time, layer.output.time) == ("segment", 16, 14)


def test_a_convolution_of_a_flattened_tensor_is_refused() -> None:
    net = Net(16)
    net.conv("conv1", 2, 3)
    flat = net.reshape("flat", 1, 28)
    net.reshape("series", 1, 1, 28, 1)
    net.conv("conv2", 1, 3)
    net.model.ops[-1].inputs[0] = flat
    net.model.outputs = [net.at]
    with pytest.raises(ModelError, match=r'"conv2/conv": its input is \[1, 28\]'):
        lowered(net)


def test_a_convolution_checked_for_the_old_shape_is_refused() -> None:
    net = Net(16)
    net.conv("conv1", 2, 3)
    unchanged = net.at
    shortened = net.reshape("short", 1, 1, 7, 4)
    net.at = unchanged
    net.conv("conv2", 1, 3)
    net.model.ops[-1].inputs[0] = shortened
    net.model.outputs = [net.at]
    with pytest.raises(ModelError, match=r'"conv2/conv": its weights are .* for 4 channels'):
        lowered(net)


def test_a_pad_that_is_reshaped_before_its_convolution_is_a_layer() -> None:
    net = Net(14)
    net.conv("conv1", 2, 3)
    net.pad("conv2", 1, 1)
    net.reshape("again", 1, 1, 7, 4)
    net.conv("conv2", 1, 3)
    net.model.outputs = [net.at]
    words = [layer.words for layer in lowered(net).layers]
    assert words == ["conv k3 s1", "pad 1 + 1", "reshape", "conv k3 s1"]


def test_a_pad_reshaped_back_before_its_convolution_is_its_border() -> None:
    net = Net(14)
    net.conv("conv1", 2, 3)
    net.pad("conv2", 1, 1)
    net.reshape("flat", 1, 28)
    net.reshape("series", 1, 1, 14, 2)
    net.conv("conv2", 1, 3)
    net.model.outputs = [net.at]
    assert lowered(net).layers[1].pad_before == 1


def test_layers_of_one_name_in_c_get_different_ones() -> None:
    net = Net(16)
    net.conv("conv.1", 1, 3)
    net.conv("conv_1", 1, 3)
    net.conv("Conv 1", 1, 3)
    net.model.outputs = [net.at]
    names = [layer.name for layer in lowered(net).layers]
    assert names == ["conv.1", "conv_1_2", "Conv_1_3"]


def test_letters_that_would_end_a_comment_are_left_out_of_a_name() -> None:
    net = Net(16)
    net.conv("conv*/1", 1, 3)
    net.model.outputs = [net.at]
    assert lowered(net).layers[0].output.name == "conv_/1/conv"


def test_what_no_output_needs_is_left_out_and_named() -> None:
    net = small_encoder()
    expected = lowered(net)
    net.at = 0
    net.conv("unread", 2, 3)
    net.silu("unread")
    net.pad("unread2", 1, 1)
    network = lowered(net)
    assert [layer.name for layer in network.layers] == [layer.name for layer in expected.layers]
    assert network.unread == (*("unread/conv", "unread/sigmoid", "unread/silu", "unread2/pad"),)


def test_an_output_that_nothing_computes_is_refused() -> None:
    net = small_encoder()
    net.model.outputs.append(0)
    with pytest.raises(ModelError, match="expected only what operators compute"):
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


def test_a_fully_connected_layer_reads_the_steps_that_were_flattened_for_it() -> None:
    net = Net(20)
    net.conv("conv1", 4, 3)
    net.reshape("flat", 1, 72)
    weights = TensorSpec("fc/weights", (5, 72), data=np.ones((5, 72), np.int8))
    constant = net.model.tensor(weights)
    net._op(OPS.FULLY_CONNECTED, [constant], TensorSpec("fc/made", (1, 5)))
    net.model.outputs = [net.at]
    layer = lowered(net).layers[1]
    assert layer.inputs[0].shape == (1, 1, 18, 4)
    assert layer.windows == (Window(18, 18, 0),)


def test_an_output_that_is_the_reshaped_input_is_a_copy_of_it() -> None:
    net = Net(16)
    first = net.reshape("short", 1, 1, 8, 2)
    net.at = 0
    net.model.outputs = [first, net.reshape("again", 1, 8, 2)]
    network = lowered(net)
    assert [layer.words for layer in network.layers] == ["reshape"]
    assert [tensor.name for tensor in network.outputs] == ["short/reshape", "short/reshape"]
