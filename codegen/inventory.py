"""The numbered tensors and constants: the order in which device and host speak of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Int8s, Int32s, Tensor
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer, Network
from dynadeep.codegen.running import State

REPLY_LIMIT = (1 << 16) - 1
"""Bytes of a reply over the link, in which each has its place."""

TENSOR_LIMIT = REPLY_LIMIT // 10
"""TRACE says 10 bytes of each tensor."""

CONSTANT_LIMIT = REPLY_LIMIT // 4
"""CONSTANTS gives the CRC-32 of each array."""

LITTLE_ENDIAN = {np.dtype(np.int8): "<i1", np.dtype(np.int32): "<i4"}


@dataclass(frozen=True)
class TracedTensor:
    """A tensor that a trace can see. ``fused``: in the fused run too, not in the unfused alone."""

    number: int
    name: str
    layer: str
    kind: str  # "input", "layer", "table" (what a table made of it)
    time: int
    channels: int
    fused: bool


@dataclass(frozen=True, eq=False)
class Constant:
    """An array in flash; ``content`` is its bytes as they lie there, little-endian."""

    number: int
    layer: str
    kind: str  # "weights", "bias", "multiplier", "shift", "table"
    array: Int8s | Int32s

    @property
    def content(self) -> bytes:
        """The bytes in flash."""
        return self.array.astype(LITTLE_ENDIAN[self.array.dtype]).tobytes()


def traced_tensors(network: Network) -> tuple[TracedTensor, ...]:
    """Return the input, then each layer's tensors in the order of execution.

    Raises:
        ModelError: there are more than the link can number.
    """
    rows = [(tensor, "input", "input", True) for tensor in network.inputs]
    for layer in network.layers:
        rows += [(tensor, layer.name, kind, fused) for tensor, kind, fused in _made_by(layer)]
    _check(len(rows), "tensors", TENSOR_LIMIT)
    return tuple(
        TracedTensor(number, tensor.name, layer, kind, tensor.time, tensor.channels, fused)
        for number, (tensor, layer, kind, fused) in enumerate(rows)
    )


def first_traced(network: Network) -> tuple[int, ...]:
    """Return the number of each layer's first traced tensor; of a state's, what is made of it."""
    counts = (len(list(_made_by(layer))) for layer in network.layers)
    return tuple(accumulate(counts, initial=len(network.inputs)))[:-1]


def _made_by(layer: Layer) -> Iterator[tuple[Tensor, str, bool]]:
    if isinstance(layer.output, State):
        return  # of which a trace sees no values
    yield layer.computed, "layer", layer.table is None
    if layer.table is not None:
        yield layer.output, "table", True


def flash_arrays(layer: Layer, kernels: KernelSet) -> dict[str, Int8s | Int32s]:
    """Return a layer's arrays as a kernel set wants them, in the order of ``dd_model.json``."""
    arrays = layer.constants(kernels)
    return arrays if layer.table is None else {**arrays, "table": layer.table}


def model_constants(network: Network, kernels: KernelSet) -> tuple[Constant, ...]:
    """Return every layer's arrays in the order of execution, as they lie in flash.

    Raises:
        ModelError: there are more than the link can number.
    """
    rows = [
        (layer.name, kind, array)
        for layer in network.layers
        for kind, array in flash_arrays(layer, kernels).items()
    ]
    _check(len(rows), "arrays of constants", CONSTANT_LIMIT)
    return tuple(Constant(number, *row) for number, row in enumerate(rows))


def _check(count: int, what: str, limit: int) -> None:
    """Refuse what a reply of the board's could not name, by its number."""
    if count > limit:
        raise ModelError(
            f"the network has {count} {what}, a reply over the link names at most {limit}. Use a "
            "smaller network."
        )
