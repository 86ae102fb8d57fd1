"""A network on the real engines: its plan goes to the harness program as data."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.arena import Arena, plan_arena
from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.inventory import first_traced
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Network
from dynadeep.codegen.plan import sources_for
from dynadeep.codegen.running import State, with_running_layers
from dynadeep.codegen.schedule import Schedule, plan_schedule
from dynadeep.codegen.wiring import Source
from tests.firmware.harness import Harness
from tests.firmware.layouts import Image, Reference, Symbol, types_of
from tests.graphs.layer_data import add_layer
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


def streams(network: Network) -> bool:
    """Return whether the streaming engine takes a network."""
    channels = {tensor.name: tensor.channels for tensor in network.tensors}
    reads = [tensor for layer in network.layers for tensor in layer.inputs]
    same = all(tensor.channels == channels[tensor.name] for tensor in reads)
    return len(network.inputs) == 1 and same


def run_layers(harness: Harness, network: Network, codes: Int8s) -> Outcome:
    """Run the layers engine; its inputs' codes one behind the other."""
    return _run(harness, network, plan_arena(network), codes, (codes.size,))


def run_stream(harness: Harness, network: Network, codes: Int8s, streaming: Streaming) -> Outcome:
    """Run the streaming engine."""
    network = with_running_layers(network)
    schedule = plan_schedule(network, streaming.tile or harness.kernels.tile)
    return _run(harness, network, schedule, codes, streaming.pushes)


def _run(
    harness: Harness,
    network: Network,
    memory: Arena | Schedule,
    codes: Int8s,
    pushes: tuple[int, ...],
) -> Outcome:
    image = Image(types_of(harness.program))
    packed = image.packed(add_plan(image, harness.kernels, network, memory))
    sizes = [min(size, 0xFFFF) for size in pushes]
    request = packed + struct.pack(f"<IH{len(sizes)}H", memory.size, len(sizes), *sizes)
    places = {name: at for name, (at, _) in memory.places.items()}
    return _outcome(harness, network, request + codes.tobytes(), places)


def add_plan(
    image: Image, kernels: KernelSet, network: Network, memory: Arena | Schedule
) -> Reference:
    """Add the plan that the generated C holds."""
    sources = sources_for(network, streamed=isinstance(memory, Schedule))
    flat = [source for of_layer in sources for source in of_layer]
    lines, readers = _lines(network, memory, sources)
    plan: dict[str, Any] = {
        "engine": Symbol(
            "dd_stream_engine" if isinstance(memory, Schedule) else "dd_layers_engine"
        ),
        "stages": image.structs("dd_stage", _stages(image, kernels, network, memory, sources)),
        "lines": image.structs("dd_line_plan", lines),
        "sources": image.structs("dd_source", [_source(source) for source in flat]),
        "readers": image.array(np.array(readers, "<u2").tobytes()),
        "count": len(network.layers),
        "source_count": len(flat),
        "inputs": len(network.inputs),
    }
    return image.struct("dd_net_plan", plan)


def _stages(
    image: Image,
    kernels: KernelSet,
    network: Network,
    memory: Arena | Schedule,
    sources: list[tuple[Source, ...]],
) -> list[dict[str, Any]]:
    stages, begin = [], 0
    numbered = zip(network.layers, first_traced(network), strict=True)
    for index, (layer, number) in enumerate(numbered):
        stage = memory.stages[index] if isinstance(memory, Schedule) else None
        tiles = {"tile": stage.tile if stage else 0, "first": stage.first if stage else 0}
        numbers = {"sources": begin, "tensor": number, "count": len(sources[index])}
        stages.append({**add_layer(image, layer, kernels), **numbers, **tiles})
        begin += len(sources[index])
    return stages


def _source(source: Source) -> dict[str, int]:
    window = source.window
    return {
        "line": source.line,
        "kernel": window.kernel,
        "stride": window.stride,
        "up": window.up,
        "before": window.before,
    }


def _lines(
    network: Network, memory: Arena | Schedule, sources: list[tuple[Source, ...]]
) -> tuple[list[dict[str, int]], list[tuple[int, int]]]:
    """Return the lines, and the list of all their readers."""
    lines: list[dict[str, int]] = []
    readers: list[tuple[int, int]] = []
    stages = [number for number, of_layer in enumerate(sources) for _ in of_layer]
    for number, tensor in enumerate(network.tensors):
        line = memory.lines[number] if isinstance(memory, Schedule) else None
        of_line = () if line is None else line.readers
        lines.append(
            {
                "at": memory.places[tensor.name][0],
                "steps": tensor.time,
                "channels": tensor.channels,
                "readers": len(readers),
                "count": len(of_line),
                "hold": 0 if line is None else line.hold,
            }
        )
        readers += [(reader, stages[reader]) for reader in of_line]
    return lines, readers


def traced_tensors(network: Network) -> list[Tensor]:
    """Return the tensors that a trace sees, by their number."""
    traced = list(network.inputs)
    for layer in network.layers:
        if isinstance(layer.output, State):
            continue
        traced += [layer.computed] if layer.table is None else [layer.computed, layer.output]
    return traced


def _outcome(
    harness: Harness, network: Network, request: bytes, offsets: dict[str, int]
) -> Outcome:
    pieces, status, values = harness.network(request)
    order = [tensor.index for tensor in traced_tensors(network)]
    traced: dict[int, list[Int8s]] = {}
    for number, piece in pieces:
        traced.setdefault(order[number], []).append(piece)
    outputs = {
        tensor.index: values[offsets[tensor.name] :][: tensor.size] for tensor in network.outputs
    }
    return Outcome(status, {at: np.concatenate(parts) for at, parts in traced.items()}, outputs)
