"""report.json as dataclasses: what every form of a report is made from, and read back into.

The JSON Schema in ``docs/report.schema.json`` is generated from these. Sizes are bytes, errors
percent; a figure that is not known, or infinite (the PRD of a flat window), is null.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta

from dynadeep.host_tools.cycles.estimate import CyclesEstimate
from dynadeep.host_tools.link.device import Unit
from dynadeep.host_tools.measure.application import Difference
from dynadeep.host_tools.measure.known import Peer
from dynadeep.host_tools.measure.latency import LayerLatency
from dynadeep.host_tools.measure.memory import Section
from dynadeep.host_tools.measure.report import Command, Run

SCHEMA = 2
"""Changes when a key changes its meaning; a new key that may be missing does not change it."""

Count = Annotated[int, Meta(ge=0)]
Values = tuple[int, ...]


@dataclass(frozen=True)
class Target:
    """The board, and how its firmware was generated."""

    description: str
    core: str
    clock_hz: Count
    engine: str
    kernels: str
    build: str = "speed"  # "size": compiled with -Os
    flash_bytes: Count | None = None  # that the board has
    ram_bytes: Count | None = None


@dataclass(frozen=True)
class LayerInfo:
    """One layer of the network, as the plan says."""

    name: str
    what: str  # "conv k3 s1, SiLU"
    input: str  # "2000x1", time by channels
    output: str
    macs: Count
    constants: dict[str, Count]  # bytes in flash by kind: weights, bias, multiplier, shift, table


@dataclass(frozen=True)
class Span:
    """Where a tensor, or the part of it that is kept, lies in the activations' RAM, and when."""

    tensor: str
    offset: Count
    bytes: Count
    first: Count  # moment 0 is the input, moment n the n-th layer
    last: Count


@dataclass(frozen=True)
class Network:
    """What the plan says of the network."""

    macs: Count
    layers: tuple[LayerInfo, ...]
    arena_bytes: Count
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Parity:
    """What was compared with the reference, bit by bit, and what differed."""

    bit_exact: bool
    segments: Count
    tensors: Count  # of each, every layer's own output before its table included
    fused_tensors: Count  # of each once more, as the firmware keeps them
    constants: Count  # arrays, by CRC
    results: Count
    noun: str  # what the results are: "packets", "outputs"
    levels: dict[str, Count]  # packets compared at each level; empty without a codec
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Counter:
    """The board's counter."""

    rate_hz: Count
    per_tick: float  # of the latency's unit


@dataclass(frozen=True)
class Latency:
    """What one inference costs. ``unit`` says of what: instructions in an emulator, no cycles."""

    unit: Unit
    per_segment: Count  # the most of all runs
    least_per_segment: Count
    per_mac: float | None
    segments: Count
    macs: Count
    ticks_per_segment: Count
    counter: Counter
    layers: tuple[LayerLatency, ...]
    seconds: float | None = None  # None in an emulator, where no time is real
    cycles_estimate: CyclesEstimate | None = None  # never measured
    cycles_missing: str = ""  # why there is none


@dataclass(frozen=True)
class Memory:
    """What the firmware takes, in bytes."""

    flash_bytes: Count
    ram_bytes: Count  # static RAM and the stack's peak
    static_ram_bytes: Count
    stack_peak_bytes: Count
    stack_reserved_bytes: Count
    compiler: str
    sections: tuple[Section, ...]
    flash_by_kind: dict[str, Count]  # the model's arrays by kind, and "code" for all the rest
    flash_by_layer: dict[str, Count]  # constants of each layer
    arena_by_layer: dict[str, Count]  # for the layer's input and output
    flash_by_symbol: dict[str, Count]  # the largest functions and arrays that are not the model's
    ram_by_use: dict[str, Count]  # static RAM: activations, states, buffers, "other variables"
    ram_by_symbol: dict[str, Count]


@dataclass(frozen=True)
class Predicted:
    """What the plan foretold before any compiler ran; None where it foretells nothing."""

    flash_bytes: Count | None = None
    static_ram_bytes: Count | None = None
    stack_bytes: Count | None = None  # a bound
    instructions: Count | None = None
    cycles: Count | None = None
    instructions_by_layer: dict[str, Count] = field(default_factory=dict)
    cycles_by_layer: dict[str, Count] = field(default_factory=dict)


@dataclass(frozen=True)
class Limit:
    """The most that a figure may be."""

    name: str
    unit: str
    limit: Count
    measured: Count
    held: bool


@dataclass(frozen=True)
class Peers:
    """Other ways to run this very network."""

    network: str
    source: str
    figures: tuple[Peer, ...]


@dataclass(frozen=True)
class Bound:
    """What a stream of segments at one bound came to."""

    bound: float
    segments: Count
    levels: dict[str, Count]
    mean_cg: float
    byte_cg: float
    bytes_in: Count
    bytes_out: Count
    prd: float | None
    prdn: float | None
    prd_compressed: float | None
    prdn_compressed: float | None
    violations: float | None
    clipped: float


@dataclass(frozen=True)
class Example:
    """One segment of the stream and what came back of it, int16 [T], in ADC units."""

    record: str
    segment: Count  # of the record, from 0
    why: Literal["typical", "worst"]  # of its level, by PRD
    level: str
    predicted: dict[str, float]  # error of each level, in the stream's unit
    loss: float | None  # as it came true
    prd: float | None
    bytes: Count
    samples: Values
    decoded: Values


@dataclass(frozen=True)
class Stream:
    """A codec's compressed stream, decoded, at several bounds; ``at`` is the one asked for."""

    error_unit: str
    sample_rate_hz: float
    adc_units_per_mv: float
    adc_baseline: int
    margins: dict[str, float]  # of each level: predicted error and margin must be within the bound
    records: Count
    at: Bound
    bounds: tuple[Bound, ...]
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Document:
    """A report: of each part that a command did not measure, None."""

    schema: Annotated[int, Meta(ge=SCHEMA, le=SCHEMA)]
    kit_version: str
    command: Command
    board: str
    emulated: bool
    model_id: str
    held: bool
    target: Target
    network: Network
    parity: Parity | None = None
    latency: Latency | None = None
    memory: Memory | None = None
    predicted: Predicted | None = None
    budgets: tuple[Limit, ...] = ()
    peers: Peers | None = None
    stream: Stream | None = None
    training_record: dict[str, Any] = field(default_factory=dict)
    complete: bool = True
    stopped: str | None = None  # what ended the command early
    run: Run | None = None  # of a parity run: what ``--resume`` goes on with

    @property
    def name(self) -> str:
        """What was measured, to tell it from the others of a benchmark."""
        small = ", size build" if self.target.build == "size" else ""
        return f"{self.board}, {self.target.engine} engine, {self.target.kernels} kernels{small}"


@dataclass(frozen=True)
class Documents:
    """The reports of a benchmark, one of each setup."""

    schema: Annotated[int, Meta(ge=SCHEMA, le=SCHEMA)]
    reports: tuple[Document, ...]
    complete: bool = True
    stopped: str | None = None
