"""Layers that need all of a tensor, in two halves, so that a stream keeps a state in its place.

The first half takes the tensor step by step into the state, the second makes the output of it. The
state lies in a line like any
tensor's; it has as many steps as have been taken, none of which has values of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.layers import Layer, Network
from dynadeep.codegen.naming import unique_layer_names

STEPS_AT_ONCE = 8
"""What a line that is not kept whole may hold of its tensor, about."""


@dataclass(frozen=True, eq=False)
class State(Tensor):
    """What a layer has made of the steps so far: ``bytes`` of anything, aligned to 4."""

    steps: int = 0
    bytes: int = 0

    @property
    def time(self) -> int:
        """The steps that are taken."""
        return self.steps

    @property
    def channels(self) -> int:
        """None: no step has values that lie behind those of the one before."""
        return 0

    @property
    def size(self) -> int:
        """The bytes of the whole state."""
        return self.bytes


def state_of(layer: Layer, size: int) -> State:
    """Return the state of a layer, of ``size`` bytes; no tensor of a file has such a name."""
    name, steps = f"{layer.computed.name} (state)", layer.inputs[0].time
    return State(-1, name, (steps, 0), "STATE", steps=steps, bytes=size)


def with_running_layers(network: Network) -> Network:
    """Return the network with a running form of each layer that has one and saves RAM by it."""
    outputs = {tensor.name for tensor in network.outputs}
    layers = [part for layer in network.layers for part in _parts(layer, outputs)]
    if len(layers) == len(network.layers):
        return network
    return replace(network, layers=unique_layer_names(layers))


def _parts(layer: Layer, outputs: set[str]) -> Iterator[Layer]:
    parts = None if layer.inputs[0].name in outputs else layer.running()
    if parts is None or not _saves(layer, parts[0]):
        yield layer
    else:
        yield from parts


def _saves(layer: Layer, taking: Layer) -> bool:
    source = layer.inputs[0]
    return taking.output.size + STEPS_AT_ONCE * source.channels < source.size
