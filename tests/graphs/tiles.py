"""Each layer by itself, in tiles of any size, from views of exactly what its windows read.

The sanitizer sees a kernel that reads more than its layer says.
"""

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.layers import Layer, Network, Window
from tests.firmware.harness import Harness, Operation
from tests.firmware.layouts import Image, types_of
from tests.graphs.layer_data import add_layer
from tests.graphs.reference import Tensors

Int8s = npt.NDArray[np.int8]


def tiles_differ(harness: Harness, network: Network, expected: Tensors, seed: int) -> Iterator[str]:
    """Yield a line for each layer whose kernel does not make the reference's bits."""
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        shown = layer.output if layer.table is not None else layer.computed
        values = run_in_tiles(harness, layer, expected, rng)
        if not np.array_equal(values, expected[shown.index]):
            yield f"{layer.name} ({layer.FUNCTION}) in tiles makes another tensor {shown.index}"


def run_in_tiles(
    harness: Harness, layer: Layer, tensors: Tensors, rng: np.random.Generator
) -> Int8s:
    """Return a layer's output from its inputs among ``tensors``, flat."""
    image = Image(types_of(harness.program))
    packed = image.packed(image.struct("kernel_call", add_layer(image, layer, harness.kernels)))
    pieces = []
    for tile in _tiles(layer.output.time, rng):
        views = [
            _view(window, tensors[tensor.index], tensor.time, tile, int(rng.integers(0, 4)))
            for window, tensor in zip(layer.windows, layer.inputs, strict=True)
        ]
        request = packed + struct.pack("<B", len(views)) + b"".join(views)
        request += struct.pack("<III", tile[0], len(tile), len(tile) * layer.output.channels)
        pieces.append(np.frombuffer(harness.call(Operation.KERNEL, request), np.int8))
    return np.concatenate(pieces)


def _tiles(time: int, rng: np.random.Generator) -> Iterator[range]:
    """Yield the steps of each tile, 1 to 19 at a time, in ascending order."""
    first = 0
    while first < time:
        steps = int(rng.integers(1, min(time - first, 19) + 1))
        yield range(first, first + steps)
        first += steps


def _view(window: Window, values: Int8s, time: int, tile: range, skip: int) -> bytes:
    """Return the steps that a tile reads, ``skip`` bytes behind an aligned address."""
    begin = min(max(window.begin(tile[0]), 0), time)
    end = max(min(window.end(tile[-1]), time), begin)
    read = values.reshape(time, -1)[begin:end].tobytes()
    return struct.pack("<iiBI", begin, end, skip, len(read)) + read
