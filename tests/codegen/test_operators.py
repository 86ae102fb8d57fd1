"""What each operator refuses: always with operator, layer, tensor, and what to do."""

from collections.abc import Callable

import numpy as np
import pytest
import tflite

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.layers import Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph

from .models import OPS, Net, reshaped_encoder, small_encoder
from .tflite_builder import FLOAT32, INT16, INT32, OpSpec, TensorSpec


def lowered(net: Net) -> Network:
    return lower(read_graph(net.model.build()))


def spec(net: Net, name: str) -> TensorSpec:
    return next(tensor for tensor in net.model.tensors if tensor.name == name)


def op(net: Net, code: int) -> OpSpec:
    return next(op for op in net.model.ops if op.code == code)


def set_type(name: str, kind: int) -> Callable[[Net], None]:
    def change(net: Net) -> None:
        tensor = spec(net, name)
        tensor.type = kind
        if tensor.data is not None:
            tensor.data = tensor.data.astype(np.int32)

    return change


def set_spec(name: str, **fields: object) -> Callable[[Net], None]:
    def change(net: Net) -> None:
        for field, value in fields.items():
            setattr(spec(net, name), field, value)

    return change


def set_option(code: int, **options: int) -> Callable[[Net], None]:
    def change(net: Net) -> None:
        op(net, code).options.update(options)

    return change


def set_code(code: int, replacement: int) -> Callable[[Net], None]:
    def change(net: Net) -> None:
        changed = op(net, code)
        changed.code, changed.options = replacement, {}

    return change


def set_data(name: str, values: object, dtype: type = np.int32) -> Callable[[Net], None]:
    def change(net: Net) -> None:
        spec(net, name).data = np.array(values, dtype)

    return change


CONV = OPS.CONV_2D
HERE = r'op \d+ [A-Z0-9_]+, layer "\w+", tensor "\w+/\w+": '

REFUSED = {
    "an operator without a reader": (
        set_code(OPS.LOGISTIC, OPS.SIN),
        r"it is not supported\. Use one of ABS",
    ),
    "weights of another operator": (
        set_code(CONV, OPS.DEPTHWISE_CONV_2D),
        r"have 3 scales on axis 0, expected 1 on axis 3",
    ),
    "weights of four dimensions for one matrix": (
        set_code(CONV, OPS.FULLY_CONNECTED),
        r"\[1, 1, 42, 1\] by weights \[3, 1, 3, 1\] cannot give \[1, 1, 40, 3\]",
    ),
    "groups that do not divide the channels": (
        set_spec("conv2/weights", shape=(5, 1, 5, 2), data=np.ones((5, 1, 5, 2), np.int8)),
        r"its weights are \[5, 1, 5, 2\] for 3 channels",
    ),
    "int16 activations": (set_type("conv1/conv", INT16), "is INT16, the kernels take INT8"),
    "float activations": (set_type("conv1/conv", FLOAT32), "is FLOAT32, the kernels take INT8"),
    "a tensor without quantisation": (
        set_spec("conv1/conv", scales=()),
        "not quantised as a whole",
    ),
    "a zero point beyond int8": (
        set_spec("conv1/conv", zero_points=(300,)),
        "has the zero point 300",
    ),
    "a batch of two": (
        set_spec("conv1/conv", shape=(2, 1, 20, 3)),
        r"expected one dimension of time",
    ),
    "an image": (
        set_spec("conv1/conv", shape=(1, 2, 20, 3)),
        r"expected one dimension of time",
    ),
    "an output of another length": (
        set_spec("conv1/conv", shape=(1, 1, 41, 3)),
        r"cannot give \[1, 1, 41, 3\]",
    ),
    "windows longer than the input": (
        set_option(CONV, DilationWFactor=40),
        "its window of 81 is longer than its input of 42",
    ),
    "no dilation at all": (set_option(CONV, DilationWFactor=0), "its dilation 0"),
    "an activation without a clamp": (
        set_option(CONV, FusedActivationFunction=tflite.ActivationFunctionType.TANH),
        "its fused activation is number 4",
    ),
    "a stride of nothing": (set_option(CONV, StrideW=0), "its stride 0"),
    "weights with a zero point": (
        set_spec("conv1/weights", zero_points=(0, 5, 0)),
        'the weights "conv1/weights" are asymmetric',
    ),
    "scales on the wrong axis": (
        set_spec("conv1/weights", axis=3),
        "has|have 3 scales on axis 3, expected 3 on axis 0",
    ),
    "too few scales": (
        set_spec("conv1/weights", scales=(0.1, 0.2), zero_points=(0, 0)),
        "have 2 scales on axis 0, expected 3",
    ),
    "weights without a scale": (set_spec("conv1/weights", scales=()), "have no scale"),
    "int32 weights": (set_type("conv1/weights", INT32), "not an INT8 constant"),
    "a bias of another size": (
        set_spec("conv1/bias", shape=(2,), data=np.zeros(2, np.int32)),
        r"the bias \"conv1/bias\" is INT32 \[2\], expected an INT32 constant of \[3\]",
    ),
    "a sigmoid of another scale": (
        set_spec("conv1/sigmoid", scales=(1 / 128,)),
        "expected 1/256 and -128",
    ),
    "padding that the output does not show": (
        set_data("conv1/paddings", [[0, 0], [0, 0], [0, 0], [1, 1]]),
        r"\[1, 1, 40, 1\] padded by .* is not \[1, 1, 42, 1\]",
    ),
    "negative padding": (
        set_data("conv1/paddings", [[0, 0], [0, 0], [-1, 1], [0, 0]]),
        "expected two from 0 to 65534 for each of the 4 dimensions",
    ),
    "padding that changes the scale": (
        set_spec("conv1/pad", scales=(0.5,)),
        '"segment" and "conv1/pad" differ in scale',
    ),
    "padding that changes the zero point": (
        set_spec("conv1/pad", zero_points=(7,)),
        '"segment" and "conv1/pad" differ in scale or zero point',
    ),
}


RESHAPES = {
    "an image": ((1, 2, 5, 1), r"is \[1, 2, 5, 1\], expected one dimension of time"),
    "a value less": ((1, 9), "which has 9 values, not 10"),
}


@pytest.mark.parametrize("case", RESHAPES)
def test_a_reshape_that_does_not_keep_one_segment_is_refused(case: str) -> None:
    shape, message = RESHAPES[case]
    net = reshaped_encoder()
    set_spec("latent32/reshape", shape=shape)(net)
    with pytest.raises(ModelError, match=f'RESHAPE, .*"latent32/reshape": .*{message}'):
        lowered(net)


WRONG_SHAPES = {
    "another scale": (set_spec("latent32/reshape", scales=(0.5,)), "differ in scale or zero point"),
    "another zero point": (set_spec("latent32/reshape", zero_points=(99,)), "differ in scale"),
    "another type": (set_type("latent32/reshape", FLOAT32), "is FLOAT32, the kernels take INT8"),
    "another shape than it says": (
        set_spec("latent32/shape", data=np.array([10, 1], np.int32)),
        r'its shape "latent32/shape" is \[10, 1\], its output \[1, 10\]',
    ),
    "another rank than it says": (
        set_spec("latent32/shape", shape=(1,), data=np.array([-1], np.int32)),
        r"is \[-1\], its output \[1, 10\]",
    ),
    "a shape of another type": (set_type("latent32/shape", FLOAT32), "is not an INT32 constant"),
}


@pytest.mark.parametrize("case", WRONG_SHAPES)
def test_a_reshape_that_does_more_than_it_says_is_refused(case: str) -> None:
    change, message = WRONG_SHAPES[case]
    net = reshaped_encoder()
    change(net)
    with pytest.raises(ModelError, match=f"{HERE}.*({message})"):
        lowered(net)


def test_a_reshape_may_leave_one_size_open_or_have_no_operand() -> None:
    net = reshaped_encoder()
    set_data("latent32/shape", [1, -1])(net)
    op(net, OPS.RESHAPE).inputs.pop()
    assert lowered(net).names["latent32/reshape"] == "latent32/silu"


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_kernels_cannot_run_is_refused_by_name(case: str) -> None:
    change, message = REFUSED[case]
    net = small_encoder()
    change(net)
    with pytest.raises(ModelError, match=f"{HERE}.*({message})"):
        lowered(net)


def test_a_fused_relu_is_a_clamp() -> None:
    net = Net(16)
    net.conv("conv1", 2, 3, activation=tflite.ActivationFunctionType.RELU)
    net.model.outputs = [net.at]
    layer = lowered(net).layers[0]
    assert (layer.low, layer.high) == (net.model.tensors[net.at].zero_points[0], 127)


def test_a_fused_relu6_is_a_clamp_on_both_sides() -> None:
    net = Net(16)
    net.conv("conv1", 2, 3, activation=tflite.ActivationFunctionType.RELU6)
    net.model.outputs = [net.at]
    layer = lowered(net).layers[0]
    zero_point = net.model.tensors[net.at].zero_points[0]
    assert (layer.low, layer.high) == (zero_point, min(127, zero_point + 120))


def test_same_padding_becomes_the_border_that_tflite_uses() -> None:
    net = Net(17)
    net.conv("conv1", 2, 4, 2, padding=tflite.Padding.SAME)
    net.model.outputs = [net.at]
    layer = lowered(net).layers[0]
    assert layer.pad_before == 1


def test_a_convolution_without_a_bias_has_zeros() -> None:
    net = Net(16)
    net.conv("conv1", 2, 3)
    net.model.ops[0].inputs = net.model.ops[0].inputs[:2]
    net.model.outputs = [net.at]
    layer = lowered(net).layers[0]
    assert layer.bias.tolist() == [0, 0]
