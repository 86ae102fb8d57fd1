"""Networks as converters write them: both engines, every kernel set's C, TFLite's reference."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.canonical import canonical
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from dynadeep.export.interpreters import Reference, int8_tensors
from tests.firmware.harness import Harness
from tests.graphs.checking import harness_differs, harness_of_each_kernel_set
from tests.graphs.networks import Streaming

DATA = Path(__file__).parents[1] / "data"
NEEDS_CALIBRATION = ("dynamic_range", "float32_model")
KERAS = sorted(DATA.glob("keras/*.tflite"))
OPERATORS = [p for p in sorted(DATA.glob("operators/*.tflite")) if p.stem not in NEEDS_CALIBRATION]
FILES = [*KERAS, *(pytest.param(path, marks=pytest.mark.nightly) for path in OPERATORS)]
"""Single operators are drawn at random by day."""

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def harnesses() -> Iterator[list[Harness]]:
    with harness_of_each_kernel_set() as running:
        yield running


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_tensor_is_the_references(harnesses: list[Harness], path: Path) -> None:
    content = path.read_bytes()
    graph, network = canonical(read_graph(content)), lower(read_graph(content))
    rng = np.random.default_rng(3)
    codes = {
        tensor.name: rng.integers(-128, 128, (tensor.time, tensor.channels)).astype(np.int8)
        for tensor in graph.inputs
    }
    values = Reference(content, path.name).run(codes)
    expected = {tensor.index: values[tensor.name].ravel() for tensor in int8_tensors(graph)}
    inputs = [codes[tensor.name] for tensor in network.inputs]
    for harness in harnesses:
        differences = harness_differs(harness, network, inputs, Streaming(2, (3, 1, 7)), expected)
        assert list(differences) == []
