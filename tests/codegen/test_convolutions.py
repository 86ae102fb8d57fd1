"""Convolutions of every kind and fully connected layers, in tiles, against TFLite's reference."""

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.kernels import KERNELS
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from tests.firmware.compiling import build_harness
from tests.firmware.convolving import MODELS, Drawn, Model
from tests.firmware.harness import Harness
from tests.graphs.reference import tflite_tensors
from tests.graphs.tiles import tiles_differ

from .tflite_builder import OPS, ModelBuilder, TensorSpec

pytestmark = pytest.mark.heavy  # the reference is TensorFlow's

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
MACS = 60_000


SIZES = st.one_of(st.integers(1, 6), st.integers(1, 40))
DRAWN = st.builds(
    Drawn,
    time=st.integers(1, 40),
    channels=SIZES,
    groups=st.sampled_from((1, 1, 2, 3)),
    filters=SIZES,
    kernel=st.one_of(st.integers(1, 5), st.integers(1, 30)),
    stride=st.one_of(st.integers(1, 3), st.integers(1, 12)),
    dilation=st.one_of(st.just(1), st.integers(1, 9)),
    same=st.booleans(),
    upright=st.booleans(),
    activation=st.sampled_from((0, 0, 1, 2, 3)),
    per_channel=st.booleans(),
    bias=st.booleans(),
    table=st.booleans(),
    extreme=st.booleans(),
    gain=st.one_of(st.just(0.0), st.floats(-30, 12)).map(lambda power: 2.0**power),
    seed=st.integers(0, 1 << 30),
)


@pytest.fixture(scope="module")
def harnesses() -> Iterator[list[Harness]]:
    with ExitStack() as running:
        yield [
            running.enter_context(Harness(build_harness(kernels), kernels))
            for kernels in KERNELS.values()
        ]


def check(content: bytes, drawn: Drawn, harnesses: list[Harness]) -> None:
    graph = read_graph(content)
    codes = drawn.codes(graph.input.size)
    expected = tflite_tensors(content, [codes])
    network = lower(graph)
    for harness in harnesses:
        assert list(tiles_differ(harness, network, expected, drawn.seed)) == []


@pytest.mark.parametrize("kind", MODELS)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(drawn=DRAWN)
def test_any_layer_makes_the_references_bits(
    harnesses: list[Harness], kind: str, drawn: Drawn
) -> None:
    size = drawn.time * drawn.channels * drawn.groups * drawn.filters * drawn.kernel
    if size > MACS:
        reject()
    if kind in ("conv_2d", "depthwise") and Model(drawn, (drawn.time, 1)).windows() < 1:
        reject()
    try:
        check(MODELS[kind](drawn), drawn, harnesses)
    except ModelError as error:
        assert "int32" in str(error)  # noqa: PT017


LARGE = {
    "conv_2d": Drawn(700, 2, kernel=300, stride=260),
    "depthwise": Drawn(700, 3, kernel=3, dilation=290, stride=270),
    "transposed": Drawn(3, 2, kernel=600, stride=300),
    "fully_connected": Drawn(1, 5000, filters=3),
}


@pytest.mark.parametrize("kind", LARGE)
def test_taps_strides_and_padding_may_be_beyond_a_byte(harnesses: list[Harness], kind: str) -> None:
    check(MODELS[kind](LARGE[kind]), LARGE[kind], harnesses)


def connected(scale: float, activation: int = 0) -> bytes:
    """Return a layer that multiplies each of 128 steps by ``scale``."""
    builder = ModelBuilder()
    specs = [
        TensorSpec("x", (128, 1), scales=(1.0,)),
        TensorSpec("w", (1, 1), scales=(scale,), data=np.ones((1, 1), np.int8)),
        TensorSpec("y", (128, 1), scales=(1.0,)),
    ]
    x, w, y = (builder.tensor(spec) for spec in specs)
    builder.op(OPS.FULLY_CONNECTED, [x, w], [y], FusedActivationFunction=activation)
    builder.inputs, builder.outputs = [x], [y]
    return builder.build()


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.125, 1.5, 2.0**-20])
def test_a_fully_connected_layer_rounds_halves_away_from_zero(
    harnesses: list[Harness], scale: float
) -> None:
    content = connected(scale)
    codes = np.arange(-64, 64).astype(np.int8)
    expected = tflite_tensors(content, [codes])
    halves = np.sign(codes) * np.floor(np.abs(codes.astype(float)) * scale + 0.5)
    np.testing.assert_array_equal(expected[2], np.clip(halves, -128, 127))
    for harness in harnesses:
        assert list(tiles_differ(harness, lower(read_graph(content)), expected, 1)) == []


REFUSED = {
    "a kernel beyond the numbers": (
        lambda: conv_of(kernel=3, dilation=40_000, time=60_000),
        "its windows of 80001 steps, 1 apart, begin 40000 steps ahead",
    ),
    "scales beyond int32": (lambda: connected(2.0**29), "takes its sums beyond int32"),
}


def conv_of(kernel: int, dilation: int, time: int) -> bytes:
    return MODELS["conv_2d"](Drawn(time, 1, kernel=kernel, dilation=dilation))


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_kernel_can_count_is_refused_by_its_number(case: str) -> None:
    content, message = REFUSED[case]
    with pytest.raises(ModelError, match=message):
        lower(read_graph(content()))
