"""Random networks: streaming = layers = TFLite's reference, every tensor, every kernel set."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.ops import OPERATIONS
from dynadeep.codegen.tflite import read_graph
from tests.firmware.harness import Harness
from tests.graphs.checking import differences, harness_of_each_kernel_set
from tests.graphs.draws import DRAWS
from tests.graphs.networks import NETWORKS, SLOW, STREAMINGS, Drawn, Streaming, only
from tests.graphs.tally import try_networks

CASES = Path(__file__).parent / "cases"

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def harnesses() -> Iterator[list[Harness]]:
    with harness_of_each_kernel_set() as running:
        yield running


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(network=NETWORKS, streaming=STREAMINGS)
def test_any_network_is_refused_or_runs_to_the_references_bits(
    harnesses: list[Harness], network: Drawn, streaming: Streaming
) -> None:
    try:
        problems = differences(network.content(), network.codes(), streaming, harnesses)
    except ModelError:
        return
    assert problems == []


def test_every_operator_has_a_draw() -> None:
    assert set(OPERATIONS) <= set(DRAWS)


@pytest.mark.parametrize("operator", DRAWS)
def test_an_operator_runs_to_the_references_bits(harnesses: list[Harness], operator: str) -> None:
    tally = try_networks(only([operator, "RELU"]), 6, seed=1, harnesses=harnesses)
    assert tally.wrong == []
    assert tally.run[operator] > 0


@pytest.mark.parametrize("path", sorted(CASES.rglob("*.tflite")), ids=lambda path: path.stem)
def test_networks_that_once_went_wrong_are_right(harnesses: list[Harness], path: Path) -> None:
    content = path.read_bytes()
    source = read_graph(content).input
    codes = np.random.default_rng(1).integers(-128, 128, (source.time, source.channels))
    for tile in (0, 1, 2, 5):
        for pushes in ((1,), (3, 1, 7), (200,)):
            streaming = Streaming(tile, pushes)
            assert differences(content, [codes.astype(np.int8)], streaming, harnesses) == []
