"""A network on the real engines: its plan goes to the harness program as data."""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.arena import plan_arena
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer as NetworkLayer
from dynadeep.codegen.layers import Network
from dynadeep.codegen.ops.conv_2d import Conv1d
from dynadeep.codegen.schedule import Schedule, plan_schedule
from tests.firmware.harness import Harness, Layer
from tests.graphs.networks import Streaming

Int8s = npt.NDArray[np.int8]
Tensors = dict[int, Int8s]
"""Values by the tensor's index in the file."""

OK = 0


@dataclass(frozen=True)
class Outcome:
    """What an engine made: all tensors as they were traced, the outputs as they lie at the end."""

    status: int
    traced: Tensors
    outputs: Tensors


def run_layers(harness: Harness, network: Network, codes: Int8s) -> Outcome:
    """Run the layers engine."""
    arena = plan_arena(network)
    calls = [struct.pack("<I", arena.offsets[network.input.name])]
    for layer, number in zip(network.layers, _numbers(network), strict=True):
        at = (arena.offsets[layer.inputs[0].name], arena.offsets[layer.output.name])
        calls.append(struct.pack("<IIB", *at, number))
    head = _head(network, harness.kernels, codes, streaming=False, size=arena.size)
    return _outcome(harness, network, head + b"".join(calls), arena.offsets)


def run_stream(harness: Harness, network: Network, codes: Int8s, streaming: Streaming) -> Outcome:
    """Run the streaming engine."""
    schedule = plan_schedule(network, streaming.tile or harness.kernels.tile)
    sizes = streaming.pushes
    request = (
        _head(network, harness.kernels, codes, streaming=True, size=schedule.size)
        + struct.pack("<HHB", network.input.time, network.input.channels, schedule.tile)
        + _plan(network, schedule)
        + struct.pack(f"<H{len(sizes)}H", len(sizes), *sizes)
    )
    offsets = {line.tensor.name: line.offset for line in schedule.lines}
    return _outcome(harness, network, request, offsets)


def _head(
    network: Network, kernels: KernelSet, codes: Int8s, *, streaming: bool, size: int
) -> bytes:
    numbers = (streaming, True, len(network.layers), size, codes.size)
    layers = b"".join(_layer(layer).packed(kernels) for layer in network.layers)
    return struct.pack("<BBHII", *numbers) + codes.tobytes() + layers


def _layer(layer: NetworkLayer) -> Layer:
    assert isinstance(layer, Conv1d)
    return Layer(
        in_length=layer.inputs[0].time,
        out_length=layer.output.time,
        stride=layer.stride,
        pad_before=layer.pad_before,
        in_zero_point=layer.inputs[0].zero_point,
        out_zero_point=layer.computed.zero_point,
        low=layer.low,
        high=layer.high,
        doubles=layer.doubles,
        weights=layer.weights,
        bias=layer.bias,
        multiplier=layer.multiplier,
        shift=layer.shift,
        table=layer.table,
    )


def _plan(network: Network, schedule: Schedule) -> bytes:
    """Return the tables that the generated C holds."""
    stages = [
        struct.pack("<HBB", stage.source, stage.first, number)
        for stage, number in zip(schedule.stages, _numbers(network), strict=True)
    ]
    lines: list[bytes] = []
    readers: list[int] = []
    for line in schedule.lines:
        reach = max(line.readers, default=0)
        numbers = (line.offset, len(readers), reach, len(line.readers), line.kept)
        lines.append(struct.pack("<IHHBB", *numbers))
        readers += line.readers
    listed = struct.pack(f"<H{len(readers)}H", len(readers), *readers)
    return b"".join(stages + lines) + listed


def _numbers(network: Network) -> list[int]:
    """Return the number of each layer's first traced tensor."""
    numbers, number = [], 1
    for layer in network.layers:
        numbers.append(number)
        number += 1 if layer.table is None else 2
    return numbers


def _outcome(
    harness: Harness, network: Network, request: bytes, offsets: dict[str, int]
) -> Outcome:
    pieces, status, values = harness.network(request)
    order = [network.input.index]
    for layer in network.layers:
        order += [layer.computed.index] + ([] if layer.table is None else [layer.output.index])
    traced: dict[int, list[Int8s]] = {}
    for number, piece in pieces:
        traced.setdefault(order[number], []).append(piece)
    outputs = {
        tensor.index: values[offsets[tensor.name] :][: tensor.size] for tensor in network.outputs
    }
    return Outcome(status, {at: np.concatenate(found) for at, found in traced.items()}, outputs)
