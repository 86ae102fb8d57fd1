"""Streaming = layers = TFLite's reference, for every kernel set."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.kernels import KERNELS
from dynadeep.codegen.layers import Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from tests.firmware.compiling import build_harness
from tests.firmware.harness import Harness
from tests.graphs.engines import OK, Outcome, Tensors, run_layers, run_stream, streams
from tests.graphs.networks import Streaming
from tests.graphs.reference import tflite_tensors
from tests.graphs.tiles import tiles_differ

Int8s = npt.NDArray[np.int8]


@contextmanager
def harness_of_each_kernel_set() -> Iterator[list[Harness]]:
    """Give the harness program of every kernel set's C, with sanitizers."""
    with ExitStack() as running:
        yield [
            running.enter_context(Harness(build_harness(kernels), kernels))
            for kernels in KERNELS.values()
        ]


def differences(
    content: bytes,
    inputs: Sequence[Int8s],
    streaming: Streaming,
    harnesses: Iterable[Harness],
) -> list[str]:
    """Return a line for each kernel set, engine and tensor that is not the reference's.

    ``inputs`` are codes, each [time, channels].

    Raises:
        ModelError: the kit refuses the network.
    """
    network = lower(read_graph(content))
    expected = tflite_tensors(content, inputs)
    return [
        f"{harness.kernels.name} {difference}"
        for harness in harnesses
        for difference in harness_differs(harness, network, inputs, streaming, expected)
    ]


def harness_differs(
    harness: Harness,
    network: Network,
    inputs: Sequence[Int8s],
    streaming: Streaming,
    expected: Tensors,
) -> Iterator[str]:
    """Yield a line for each engine and tensor of one kernel set that is not as expected."""
    yield from tiles_differ(harness, network, expected, seed=streaming.tile)
    codes = np.concatenate([values.ravel() for values in inputs])
    outcomes = {"layers": run_layers(harness, network, codes)}
    if streams(network):
        outcomes["stream"] = run_stream(harness, network, codes, streaming)
    for engine, outcome in outcomes.items():
        for difference in _differ(network, outcome, expected):
            yield f"{engine}: {difference}"


def _differ(network: Network, outcome: Outcome, expected: Tensors) -> Iterator[str]:
    if outcome.status != OK:
        yield f"status {outcome.status}"
    indices = {tensor.index for tensor in network.inputs}
    for layer in network.layers:
        indices |= {layer.computed.index, layer.output.index}
    if outcome.traced.keys() != indices:
        yield f"tensors {sorted(outcome.traced)} were seen, expected {sorted(indices)}"
    for where, tensors in (("traced", outcome.traced), ("at the end", outcome.outputs)):
        for index, values in tensors.items():
            if not np.array_equal(values, expected[index]):
                yield f"tensor {index} {where}"
