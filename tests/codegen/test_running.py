"""What needs all of time keeps a state in a stream, and the plan says what keeps how much."""

import re

import numpy as np
import pytest
import tflite

from dynadeep.codegen.keeping import long_lines
from dynadeep.codegen.kernels import DSP, LANES, PLAIN
from dynadeep.codegen.layer_text import _notes
from dynadeep.codegen.layers import Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.running import State, with_running_layers
from dynadeep.codegen.schedule import plan_schedule
from dynadeep.codegen.tflite import read_graph
from tests.firmware.compiling import build_harness
from tests.firmware.harness import Harness
from tests.graphs.checking import differences
from tests.graphs.networks import Streaming

from .models import Net
from .tflite_builder import INT32, TensorSpec

OPS = tflite.BuiltinOperator
TIME, CHANNELS = 2000, 64


def reduced(kind: int, *, output_too: bool = False, time: int = TIME) -> Network:
    """A convolution of ``CHANNELS`` filters and one value of each over all of time."""
    net = Net(time)
    net.conv("conv", CHANNELS, 1)
    source = net.model.tensors[net.at]
    axes = TensorSpec("axes", (2,), INT32, (), data=np.array([1, 2], np.int32))
    shape = (1, CHANNELS)
    spec = TensorSpec("pool/all", shape, scales=source.scales, zero_points=source.zero_points)
    inputs = [net.at, net.model.tensor(axes)]
    output = net.model.tensor(spec)
    net.model.op(kind, inputs, [output])
    net.model.outputs = [output, *([net.at] if output_too else [])]
    return with_running_layers(lower(read_graph(net.model.build())))


@pytest.mark.parametrize(("kind", "bytes_a_channel"), [(OPS.MEAN, 4), (OPS.REDUCE_MAX, 1)])
def test_a_reduction_over_time_keeps_a_state_and_not_the_tensor(
    kind: int, bytes_a_channel: int
) -> None:
    network = reduced(kind)
    schedule = plan_schedule(network, 4)
    state = next(line for line in schedule.lines if isinstance(line.tensor, State))
    assert state.size == bytes_a_channel * CHANNELS
    assert schedule.size < 1000 < TIME * CHANNELS


@pytest.mark.parametrize("kind", [OPS.MEAN, OPS.REDUCE_MAX])
def test_a_tensor_that_is_kept_anyway_is_reduced_as_a_whole(kind: int) -> None:
    network = reduced(kind, output_too=True)
    assert [layer.name for layer in network.layers] == ["conv", "pool"]
    assert long_lines(plan_schedule(network, 4)) == [
        "the output keeps 2000 x 64 = 128,000 B of conv/conv"
    ]


def test_a_tensor_that_is_smaller_than_the_state_is_reduced_as_a_whole() -> None:
    assert len(reduced(OPS.MEAN, time=10).layers) == 2


def test_the_plan_says_what_keeps_all_of_time() -> None:
    network = reduced(OPS.MEAN)
    whole = Network(
        network.inputs, (network.layers[0], network.layers[1].whole), network.outputs, {}
    )
    assert long_lines(plan_schedule(whole, 4)) == [
        "pool (mean over 2000 values) keeps 2000 x 64 = 128,000 B of conv/conv"
    ]


def waiting_network() -> Net:
    """A sum of two convolutions, of which one sees 50 steps beyond the other's."""
    net = Net(200)
    net.conv("skipped", 8, 1)
    skipped, net.at = net.at, 0
    net.conv("late", 8, 101, padding=tflite.Padding.SAME)
    added = net.model.tensor(TensorSpec("add/add", (1, 1, 200, 8), scales=(0.1,)))
    net.model.op(OPS.ADD, [skipped, net.at], [added])
    net.conv("end", 1, 1)
    net.model.ops[-1].inputs[0] = added
    net.model.outputs = [net.at]
    return net


@pytest.mark.heavy  # the reference is TensorFlow's
def test_a_long_line_lets_steps_go_together_and_changes_no_bit() -> None:
    content = waiting_network().model.build()
    line = next(
        line
        for line in plan_schedule(lower(read_graph(content)), 4).lines
        if line.tensor.name == "skipped/conv"
    )
    assert 50 < line.steps < 60
    assert line.hold > 1
    codes = np.random.default_rng(5).integers(-128, 128, (200, 1)).astype(np.int8)
    with Harness(build_harness(LANES), LANES) as harness:
        for tile, pushes in ((0, (3, 1, 7)), (5, (200,))):
            problems = differences(content, [codes], Streaming(tile, pushes), [harness])
            assert problems == []


def test_the_plan_names_the_layer_that_waits_for_its_other_input() -> None:
    net = waiting_network()
    sentences = long_lines(plan_schedule(lower(read_graph(net.model.build())), 4))
    waiting, window = sorted(
        sentence for sentence in sentences if not sentence.startswith("the output")
    )
    # The late layer's first step reads 51 steps, the residual's last one is computed with it.
    assert re.fullmatch(
        r"add \(add\) waits for its other input with 5\d x 8 = 4\d\d B of skipped/conv", waiting
    )
    assert window.startswith("late (conv k101 s1) keeps 10")


def test_a_layers_own_estimate_is_what_a_plan_counts() -> None:
    conv, taking, end = reduced(OPS.MEAN).layers
    assert conv.instructions(DSP, "cortex-m4") < conv.instructions(PLAIN, "cortex-m0")
    assert taking.instructions(PLAIN, "cortex-m0") > TIME * CHANNELS
    assert end.instructions(PLAIN, "cortex-m0") < TIME


def test_generated_c_says_what_a_state_holds() -> None:
    _, taking, end = reduced(OPS.MEAN).layers
    state = "pool/all (state)  256 bytes, kept while 2000 steps come"
    assert list(_notes(taking))[-1] == f"out   {state}"
    assert next(_notes(end)) == f"in    {state}"
