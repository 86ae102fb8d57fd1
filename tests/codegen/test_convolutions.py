"""Convolutions of every kind and fully connected layers, in tiles, against TFLite's reference."""

from collections.abc import Iterator
from contextlib import ExitStack

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
