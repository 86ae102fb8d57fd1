"""The proof that int32 cannot overflow."""

import numpy as np
import pytest

from dynadeep.codegen.accumulators import accumulator_bounds
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.layers import Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph

from .models import Net


def one_layer(bias: list[int], output_scale: float = 0.05) -> Net:
    net = Net(16)
    net.conv("conv1", 2, 3)
    net.model.tensors[net.at].scales = (output_scale,)
    spec = next(tensor for tensor in net.model.tensors if tensor.name == "conv1/bias")
    spec.data = np.array(bias, np.int32)
    net.model.outputs = [net.at]
    return net


def lowered(net: Net) -> Network:
    return lower(read_graph(net.model.build()))


@pytest.mark.parametrize("zero_point", [-128, -1, 0, 100, 127])
def test_the_bound_holds_for_the_worst_input_in_the_worst_order(zero_point: int) -> None:
    """Of both ways to sum: codes onto the folded bias, and distances onto the file's."""
    net = one_layer([700, -700])
    net.model.tensors[0].zero_points = (zero_point,)
    layer = lowered(net).layers[0]
    weights = layer.weights.reshape(2, -1).astype(int)
    bias = np.array([700, -700], np.int32)
    for channel, bound in enumerate(accumulator_bounds(layer.weights, zero_point, bias)):
        for start, shift in ((layer.bias[channel], 0), (bias[channel], zero_point)):
            for codes in (
                np.where(weights[channel] > 0, 127, -128),
                np.where(weights[channel] > 0, -128, 127),
            ):
                products = sorted(weights[channel] * (codes - shift), key=abs, reverse=True)
                partial = np.cumsum([int(start), *products])
                assert np.abs(partial).max() <= bound


def test_a_bias_that_leaves_no_room_is_refused_with_its_channel() -> None:
    with pytest.raises(ModelError, match=r'op 0 CONV_2D, layer "conv1".*channel 1 can reach 21475'):
        lowered(one_layer([0, (1 << 31) - 1]))


def test_a_shift_to_the_left_that_overflows_is_refused() -> None:
    with pytest.raises(ModelError, match=r"channel 0 can reach \d+ x 2\^"):
        lowered(one_layer([0, 0], output_scale=1e-12))


def test_a_bias_near_the_limit_is_accepted_when_it_still_fits() -> None:
    assert lowered(one_layer([2_000_000_000, -2_000_000_000])).layers
