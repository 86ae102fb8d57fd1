"""The plan: what each layer costs, where its tensors lie, and what the firmware will need."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from dynadeep.codegen.alignment import aligned
from dynadeep.codegen.applications import Wish
from dynadeep.codegen.arena import Arena, plan_arena
from dynadeep.codegen.bundle import Bundle, Manifest
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.inventory import (
    Constant,
    TracedTensor,
    model_constants,
    traced_tensors,
)
from dynadeep.codegen.kernels import BUFFERS, LANES, Buffers, KernelSet
from dynadeep.codegen.layers import Layer, Network, Window
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.manifest_check import check_manifest
from dynadeep.codegen.packet_sizes import (
    LOSSLESS_SLACK_BYTES,
    PACKET_OVERHEAD_BYTES,
    RANGE_BYTES,
)
from dynadeep.codegen.running import with_running_layers
from dynadeep.codegen.schedule import Schedule, plan_schedule
from dynadeep.codegen.tflite import read_graph
from dynadeep.codegen.wiring import (
    LEAST_INPUTS,
    Source,
    check_limits,
    most_inputs,
    sources_of,
)

Engine = Literal["stream", "layers"]

STATE_BYTES, ERROR_BYTES = 20, 4
"""sizeof(dd_codec_state) and sizeof(dd_error) on a 32-bit target; coder, lines, values follow."""

STACK_BESIDES_BYTES = 1_400
"""Stack of the firmware besides the convolution's buffers: 0.9 KB measured, some to spare."""

VIEW_BYTES = 12
"""sizeof(dd_view) on a 32-bit target; among what lies besides are as many as most layers need."""

LINE_BYTES, COUNT_BYTES, RICE_BYTES = 4, 2, 212
"""sizeof(dd_line), uint16_t and dd_rice on a 32-bit target."""

CHUNK_LIMIT, OUTPUT_LIMIT = 4096, 512
"""Bytes of a network's input in a request, and of its outputs in a reply, at most."""

AUTONOMOUS_CHUNK = 128
"""Samples that a request to firmware that sends by itself carries at most, where any do."""


@dataclass(frozen=True)
class Choice:
    """What is left to choose once the network is known; the planner does it for a board."""

    engine: Engine = "stream"
    kernels: KernelSet = LANES
    tile: int = 0  # steps that the streaming engine computes at a time; 0: the kernels' own
    chunk: int = 0  # samples that a request carries; 0: all of a segment
    lossless: bool = True  # whether the samples can be sent where no level serves
    buffers: Buffers = BUFFERS[0]
    application: Wish = "harness"
    because: str = "as asked for"  # why it is the layers engine, where the network can be streamed


@dataclass(frozen=True)
class LayerRow:
    """One line of the plan."""

    number: int  # from 1
    layer: Layer
    in_offset: int
    in_bytes: int  # of RAM
    out_offset: int
    out_bytes: int
    constant_bytes: int  # of flash
    kinds: tuple[str, ...]  # of its arrays there


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before any C is written."""

    manifest: Manifest
    network: Network
    choice: Choice
    memory: Arena | Schedule
    tensors: tuple[TracedTensor, ...]
    constants: tuple[Constant, ...]

    @property
    def rows(self) -> tuple[LayerRow, ...]:
        """The layers in the order of execution, with the offsets of their tensors."""
        places = self.memory.places
        flash: dict[str, dict[str, int]] = {layer.name: {} for layer in self.network.layers}
        for constant in self.constants:
            flash[constant.layer][constant.kind] = constant.array.nbytes
        return tuple(
            LayerRow(
                number,
                layer,
                *places[layer.inputs[0].name],
                *places[layer.output.name],
                sum(flash[layer.name].values()),
                tuple(flash[layer.name]),
            )
            for number, layer in enumerate(self.network.layers, start=1)
        )

    @property
    def input_values(self) -> int:
        """What one inference takes: samples of a codec, else the codes of all inputs."""
        if self.manifest.codec is not None:
            return self.manifest.segment_length
        return sum(tensor.size for tensor in self.network.inputs)

    @property
    def value_bytes(self) -> int:
        """Bytes of each of them, as they come over the link."""
        return 1 if self.manifest.codec is None else 2

    @property
    def chunk(self) -> int:
        """How many of them a request carries."""
        most = self.input_values if self.manifest.codec else min(self.input_values, CHUNK_LIMIT)
        if self.choice.application == "autonomous":
            most = min(most, AUTONOMOUS_CHUNK)
        return self.choice.chunk or most

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one segment."""
        return sum(layer.macs for layer in self.network.layers)

    @property
    def constant_bytes(self) -> int:
        """Flash of all arrays, exact."""
        return sum(constant.array.nbytes for constant in self.constants)

    @property
    def values_bytes(self) -> int:
        """RAM of all activations."""
        return aligned(self.memory.size)

    @property
    def net_bytes(self) -> int:
        """RAM of one ``NAME_net`` on a 32-bit target, exact."""
        lines = LINE_BYTES * len(self.network.tensors) + self.count_bytes
        return self.values_bytes + aligned(lines)

    @property
    def encoder_bytes(self) -> int:
        """RAM of one ``NAME_encoder`` on a 32-bit target, exact."""
        coder = RICE_BYTES if self.choice.lossless else 0
        errors = ERROR_BYTES * len(self.manifest.levels)
        return self.net_bytes + STATE_BYTES + errors + coder

    @property
    def count_bytes(self) -> int:
        """RAM of the counts of one network: ``counts`` of dd_net."""
        streamed = isinstance(self.memory, Schedule)
        awaited = sum(map(len, self.sources)) + len(self.network.layers)
        return COUNT_BYTES * (2 + (awaited + 1 if streamed else 0))

    @property
    def sources(self) -> list[tuple[Source, ...]]:
        """What each layer reads."""
        return sources_for(self.network, streamed=isinstance(self.memory, Schedule))

    @property
    def stack_bytes(self) -> int:
        """The most stack that a call takes, an application like the kit's around it included."""
        more_views = VIEW_BYTES * (most_inputs(self.network) - LEAST_INPUTS)
        buffers = self.choice.kernels.stack_bytes(self.choice.buffers)
        return buffers + STACK_BESIDES_BYTES + more_views

    @property
    def packet_bytes_coded(self) -> int:
        """The largest packet of a compressed level, all of docs/packet.md included."""
        extra = RANGE_BYTES if self.manifest.input_map.kind == "minmax" else 0
        return max(level.codes + extra for level in self.manifest.levels) + PACKET_OVERHEAD_BYTES

    @property
    def packet_bytes_lossless(self) -> int:
        """The largest packet of level none."""
        payload = 2 * self.manifest.segment_length + LOSSLESS_SLACK_BYTES
        return payload + PACKET_OVERHEAD_BYTES

    @property
    def packet_bytes_max(self) -> int:
        """The largest packet of any level."""
        lossless = self.packet_bytes_lossless if self.choice.lossless else 0
        return max(self.packet_bytes_coded, lossless)

    @property
    def state_bytes(self) -> int:
        """What the application keeps of the network, and a codec of packets that nobody wants."""
        if self.manifest.codec is None:
            return self.net_bytes
        return self.encoder_bytes + self.packet_bytes_coded

    @property
    def reply_bytes(self) -> int:
        """The longest reply of the harness's own commands."""
        if self.manifest.codec is None:
            return min(max(tensor.size for tensor in self.network.outputs), OUTPUT_LIMIT)
        return self.packet_bytes_max


def sources_for(network: Network, *, streamed: bool) -> list[tuple[Source, ...]]:
    """Return what each layer reads; the layers engine reads whole tensors."""
    wired = sources_of(network)
    if streamed:
        return wired
    return [
        tuple(
            replace(source, window=Window(tensor.time, 0, 0))
            for source, tensor in zip(sources, layer.inputs, strict=True)
        )
        for sources, layer in zip(wired, network.layers, strict=True)
    ]


def make_plan(bundle: Bundle, choice: Choice | None = None) -> Plan:
    """Read a bundle's model and decide everything that the generated C needs.

    Without a choice the result is for any core: see ``planner.plan_for`` for a board's.

    Raises:
        CodegenError: the model cannot be run, or does not fit the manifest.
    """
    return plan_model(bundle.model_path.read_bytes(), bundle.manifest, choice)


def plan_model(content: bytes, manifest: Manifest, choice: Choice | None = None) -> Plan:
    """Plan the model whose flatbuffer is ``content``; see ``make_plan``."""
    network = _lowered(content, manifest.model)
    check_manifest(network, manifest)
    obstacle = why_not_streamed(network, manifest)
    chosen = choice or Choice(engine="layers" if obstacle else "stream")
    if manifest.codec is None:
        chosen = replace(chosen, lossless=False)
    if chosen.engine == "stream" and obstacle:
        raise ModelError(
            f"{manifest.model}: it cannot be streamed: {obstacle}. Use the layers engine."
        )
    if chosen.engine == "stream":
        network = _running(network)
    memory = _placed(network, chosen.engine, *_tiles(chosen))
    constants = model_constants(network, chosen.kernels)
    return Plan(manifest, network, chosen, memory, traced_tensors(network), constants)


@lru_cache(maxsize=2)
def _lowered(content: bytes, file: str) -> Network:
    """Lower a model once, however many plans are made of it."""
    return lower(read_graph(content, file))


@lru_cache(maxsize=2)
def _running(network: Network) -> Network:
    """Return the same network for every plan, by which ``_placed`` knows it again."""
    return with_running_layers(network)


@lru_cache(maxsize=16)
def _placed(network: Network, engine: Engine, tile: int, depthwise: int) -> Arena | Schedule:
    """Place a network's values once for an engine and its tiles."""
    check_limits(network)
    return plan_arena(network) if engine == "layers" else plan_schedule(network, tile, depthwise)


def _tiles(choice: Choice) -> tuple[int, int]:
    """Return the steps that layers compute at a time, and that depthwise ones do."""
    kernels = choice.kernels
    tile = choice.tile or kernels.tile
    return tile, max(1, tile // kernels.tile) * kernels.depthwise_tile or tile


def why_not_streamed(network: Network, manifest: Manifest) -> str:
    """Return what keeps a model from being streamed, or nothing."""
    if manifest.codec is not None and manifest.codec.input_map.kind == "minmax":
        return "the input map minmax needs the whole segment before the first code"
    if len(network.inputs) > 1:
        return f"it has {len(network.inputs)} inputs, of which the layers engine takes one by one"
    return ""
