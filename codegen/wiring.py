"""Which line each layer reads: the network in the numbers of ``dd_net.h``, for both engines."""

from collections import Counter
from dataclasses import dataclass

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.layers import Layer, Network, Window

STEP_LIMIT = (1 << 16) - 2  # uint16 in dd_line, the last of which means never
COUNT_LIMIT = (1 << 15) - 1  # lines and sources
INPUTS_LIMIT = 64  # of a layer: the kernels' views lie on the stack
LEAST_INPUTS = 2  # DD_INPUTS_MAX where no layer has more
READERS_LIMIT = 255  # of a line
REACH_LIMIT = (1 << 31) - 1  # where windows begin is worked out in int32


@dataclass(frozen=True)
class Source:
    """An input of a layer: inputs of the network are the first lines, then come the outputs."""

    line: int
    window: Window


def most_inputs(network: Network) -> int:
    """Return for how many inputs of a layer the engines make room."""
    return max(LEAST_INPUTS, *(len(layer.inputs) for layer in network.layers))


def sources_of(network: Network) -> list[tuple[Source, ...]]:
    """Return each layer's inputs.

    Raises:
        ModelError: the engines do not count as far.
    """
    check_limits(network)
    lines = {tensor.name: line for line, tensor in enumerate(network.tensors)}
    return [
        tuple(
            Source(lines[tensor.name], window)
            for tensor, window in zip(layer.inputs, layer.windows, strict=True)
        )
        for layer in network.layers
    ]


def check_limits(network: Network) -> None:
    """Refuse what the engines cannot count, by its number."""
    longest = max(network.tensors, key=lambda tensor: tensor.time)
    _check(longest.name, longest.time, "steps", STEP_LIMIT, "a shorter segment")
    _check("the network", len(network.tensors), "tensors", COUNT_LIMIT, "a smaller network")
    readers = Counter(tensor.name for layer in network.layers for tensor in layer.inputs)
    for name, count in readers.items():
        _check(name, count, "readers", READERS_LIMIT, "fewer at a time")
    for layer in network.layers:
        _check(layer.name, len(layer.inputs), "inputs", INPUTS_LIMIT, "a tree of layers")
        for tensor, window in zip(layer.inputs, layer.windows, strict=True):
            _check_window(layer, tensor, window)


def _check_window(layer: Layer, tensor: Tensor, window: Window) -> None:
    reach = layer.output.time * window.stride + abs(window.before)
    _check(layer.name, window.kernel, f"steps of {tensor.name} a step", STEP_LIMIT, "less")
    _check(layer.name, max(window.stride, window.up), "as a stride", STEP_LIMIT, "less")
    _check(layer.name, reach, f"as the reach over {tensor.name}", REACH_LIMIT, "less")


def _check(what: str, count: int, unit: str, limit: int, instead: str) -> None:
    if count > limit:
        raise ModelError(f"{what} has {count} {unit}; the engines count to {limit}. Use {instead}.")
