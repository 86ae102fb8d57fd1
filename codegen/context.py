"""What the templates of a model see: one frozen object in which everything is already decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from dynadeep.codegen import c_text
from dynadeep.codegen.arena import Span
from dynadeep.codegen.bundle import InputMap, Level, map_problem
from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.kernels import Buffers
from dynadeep.codegen.layer_text import LayerText, layer_text
from dynadeep.codegen.naming import SEGMENT, identifier
from dynadeep.codegen.numerics import error_scale, fixed_error, fixed_margin
from dynadeep.codegen.plan import PACKET_OVERHEAD_BYTES, RANGE_BYTES, Plan
from dynadeep.codegen.schedule import Schedule
from dynadeep.codegen.version import __version__
from dynadeep.codegen.wiring import Source

RUNTIME_ABI = 5
"""DD_RUNTIME_ABI of the runtime that the templates are written for."""


@dataclass(frozen=True)
class LevelText:
    """One compressed level."""

    number: int
    name: str  # "cg32"
    macro: str  # "CG32"
    codes: int
    packet_bytes: int
    latent: str  # macros of the offsets in the arena
    error: str
    error_zero_point: int
    error_scale: int  # Q8.24
    margin: int  # Q8.24
    comment: str


@dataclass(frozen=True)
class StageText:
    """One stage of the network's plan."""

    number: int
    stem: str
    title: str
    function: str
    table: str
    tensor: int
    sources: int  # where its inputs stand in the list
    count: int
    first: int


@dataclass(frozen=True)
class LineText:
    """One line of the network's plan."""

    place: str  # macro of its offset
    steps: int
    channels: int
    readers: int  # where its readers stand in the list
    reach: int  # the last stage of them
    count: int
    kept: str  # "true" or "false"


@dataclass(frozen=True)
class ModelContext:
    """Everything that the templates in ``firmware_templates/model`` name."""

    kit_version: str
    model_id: str
    model_id_bytes: str
    runtime_abi: int
    segment_length: int
    sample_rate_hz: int
    adc_units_per_mv: str  # a C float literal
    adc_baseline: int
    error_unit: str  # a C string literal
    default_bound: int  # Q8.24
    default_bound_comment: str
    input_map: InputMap
    minmax: bool
    packet_bytes_coded: int
    packet_bytes_max: int
    chunk: int  # samples of a request
    kernels: str  # macro of the kernel set
    lossless: bool
    buffers: Buffers
    stream: bool  # the streaming engine; else the layers engine
    values_bytes: int
    encoder_bytes: int
    stack_bytes: int
    macs: int
    worst_macs: int  # of the streaming engine
    tile: int
    inputs: int  # of the network
    counts: int  # DD_NET_COUNTS
    stages: tuple[StageText, ...]
    sources: tuple[Source, ...]
    lines: tuple[LineText, ...]
    readers: tuple[str, ...]  # of all lines, as rows of numbers
    constant_bytes: int
    input: str  # macro of the offset in the arena
    input_comment: str
    places: tuple[str, ...]  # enumerators of the offsets in the arena
    layers: tuple[LayerText, ...]
    levels: tuple[LevelText, ...]
    tensor_count: int
    constant_count: int


def model_context(plan: Plan) -> ModelContext:
    """Put a plan into the words of the templates.

    Raises:
        CodegenError: the manifest holds what cannot stand in C.
    """
    manifest, source = plan.manifest, plan.network.input
    macros = _macros(plan)
    range_bytes = RANGE_BYTES if manifest.input_map.kind == "minmax" else 0
    layers = _layers(plan)
    return ModelContext(
        kit_version=__version__,
        model_id=manifest.model_id,
        model_id_bytes=c_text.byte_list(bytes.fromhex(manifest.model_id)),
        runtime_abi=RUNTIME_ABI,
        segment_length=manifest.segment_length,
        sample_rate_hz=manifest.rate_hz,
        adc_units_per_mv=c_text.float_literal(manifest.adc_gain, "adc_gain"),
        adc_baseline=manifest.adc_baseline,
        error_unit=c_text.string(manifest.error_unit, "error_unit"),
        default_bound=fixed_error(manifest.default_bound),
        default_bound_comment=f"{manifest.default_bound:g}",
        input_map=_checked_map(manifest.input_map),
        minmax=range_bytes > 0,
        packet_bytes_coded=plan.packet_bytes_coded,
        packet_bytes_max=plan.packet_bytes_max,
        chunk=plan.chunk,
        kernels=plan.choice.kernels.macro,
        lossless=plan.choice.lossless,
        buffers=plan.choice.buffers,
        values_bytes=plan.values_bytes,
        encoder_bytes=plan.encoder_bytes,
        stack_bytes=plan.stack_bytes,
        macs=plan.macs,
        stream=isinstance(plan.memory, Schedule),
        worst_macs=plan.memory.worst_macs if isinstance(plan.memory, Schedule) else 0,
        tile=plan.memory.tile if isinstance(plan.memory, Schedule) else 0,
        inputs=len(plan.network.inputs),
        counts=plan.count_bytes // 2,
        stages=_stages(plan, layers),
        sources=tuple(source for of_layer in plan.sources for source in of_layer),
        lines=_lines(plan, macros),
        readers=_readers(plan),
        constant_bytes=plan.constant_bytes,
        input=macros[source.name],
        input_comment=f"{c_text.scale(source.scale)} x (code - {c_text.signed(source.zero_point)})",
        places=_places(plan, macros),
        layers=layers,
        levels=_levels(plan, macros, range_bytes),
        tensor_count=len(plan.tensors),
        constant_count=len(plan.constants),
    )


def _macros(plan: Plan) -> dict[str, str]:
    """Return the macro of each tensor's offset: named after the layer that makes it."""
    inputs = plan.network.inputs
    stems = {tensor.name: f"{SEGMENT}{n}" if n else SEGMENT for n, tensor in enumerate(inputs)}
    stems |= {layer.output.name: identifier(layer.name) for layer in plan.network.layers}
    return {name: f"AT_{stem.upper()}" for name, stem in stems.items()}


def _stages(plan: Plan, layers: Sequence[LayerText]) -> tuple[StageText, ...]:
    before = accumulate((len(sources) for sources in plan.sources), initial=0)
    schedule = plan.memory
    firsts = (
        [stage.first for stage in schedule.stages]
        if isinstance(schedule, Schedule)
        else [0] * len(layers)
    )
    return tuple(
        StageText(
            number=text.number,
            stem=text.stem,
            title=text.title,
            function=text.function,
            table=text.table,
            tensor=text.tensor,
            sources=begin,
            count=len(sources),
            first=first,
        )
        for text, sources, begin, first in zip(layers, plan.sources, before, firsts, strict=False)
    )


def _lines(plan: Plan, macros: Mapping[str, str]) -> tuple[LineText, ...]:
    """Return all lines; of the layers engine nobody asks who reads one."""
    schedule = plan.memory
    if not isinstance(schedule, Schedule):
        return tuple(
            LineText(macros[tensor.name], tensor.time, tensor.channels, 0, 0, 0, "true")
            for tensor in plan.network.tensors
        )
    targets = [source.target for of_layer in plan.sources for source in of_layer]
    before = accumulate((len(line.readers) for line in schedule.lines), initial=0)
    return tuple(
        LineText(
            place=macros[line.tensor.name],
            steps=line.tensor.time,
            channels=line.tensor.channels,
            readers=begin,
            reach=max((targets[source] - 1 for source in line.readers), default=0),
            count=len(line.readers),
            kept="true" if line.kept else "false",
        )
        for line, begin in zip(schedule.lines, before, strict=False)
    )


def _readers(plan: Plan) -> tuple[str, ...]:
    """Return the list of all lines' readers, sixteen a row."""
    if not isinstance(plan.memory, Schedule):
        return ()
    numbers = [str(reader) for line in plan.memory.lines for reader in line.readers]
    rows = [numbers[begin : begin + 16] for begin in range(0, len(numbers), 16)]
    return tuple(", ".join(row) + "," for row in rows)


def _places(plan: Plan, macros: Mapping[str, str]) -> tuple[str, ...]:
    """Return one enumerator for each tensor, in columns."""
    cells = [
        (f"{macros[name]} = {offset},", f"/* {note} */")
        for (name, (offset, _)), note in zip(
            plan.memory.places.items(), _place_notes(plan), strict=True
        )
    ]
    width = max(len(first) for first, _ in cells)
    return tuple(f"{first:<{width}} {second}" for first, second in cells)


def _place_notes(plan: Plan) -> list[str]:
    """Return what stands behind each tensor's offset."""
    if isinstance(plan.memory, Schedule):
        return [
            f"{line.steps} of {line.tensor.time} steps x {line.tensor.channels}: {line.size} B"
            for line in plan.memory.lines
        ]
    return [
        f"{span.size} B, up to {plan.memory.offsets[span.name] + span.size}, {_life(plan, span)}"
        for span in plan.memory.spans
    ]


def _life(plan: Plan, span: Span) -> str:
    if span.last > len(plan.network.layers):
        return "kept for the packet"
    return f"read by {plan.network.layers[span.last - 1].name}"


def _layers(plan: Plan) -> tuple[LayerText, ...]:
    first = {tensor.layer: tensor.number for tensor in reversed(plan.tensors)}
    return tuple(layer_text(row, first[row.layer.name], plan.choice.kernels) for row in plan.rows)


def _levels(plan: Plan, macros: Mapping[str, str], range_bytes: int) -> tuple[LevelText, ...]:
    stems = [identifier(level.name) for level in plan.manifest.levels]
    if len(set(stems)) != len(stems) or "none" in stems:
        raise BundleError(f"manifest.json: levels are called {stems}, expected different names.")
    return tuple(
        _level(plan, level, number, macros, range_bytes)
        for number, level in enumerate(plan.manifest.levels, start=1)
    )


def _level(
    plan: Plan, level: Level, number: int, macros: Mapping[str, str], range_bytes: int
) -> LevelText:
    return LevelText(
        number=number,
        name=identifier(level.name),
        macro=identifier(level.name).upper(),
        codes=level.codes,
        packet_bytes=level.codes + range_bytes + PACKET_OVERHEAD_BYTES,
        latent=macros[plan.network.holder(level.latent_tensor)],
        error=macros[plan.network.holder(level.error_tensor)],
        error_zero_point=level.error.zero_point,
        error_scale=error_scale(level),
        margin=fixed_margin(level.margin),
        comment=f"a code is {c_text.scale(level.error.scale)}, the margin {level.margin:g}",
    )


def _checked_map(input_map: InputMap) -> InputMap:
    """Check that the input map's integers keep what dd_input_map.h demands."""
    problem = map_problem(input_map)
    if problem:
        raise BundleError(f"manifest.json: {problem}. Export again.")
    return input_map
