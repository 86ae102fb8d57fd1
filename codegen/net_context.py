"""What the templates of a network see: one frozen object in which all is already decided."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from dynadeep.codegen import c_text
from dynadeep.codegen.arena import Span
from dynadeep.codegen.bundle import TensorSpec
from dynadeep.codegen.errors import CodegenError
from dynadeep.codegen.inventory import first_traced
from dynadeep.codegen.kernels import Buffers
from dynadeep.codegen.layer_text import LayerText, layer_text
from dynadeep.codegen.naming import SEGMENT, identifier
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.schedule import Schedule
from dynadeep.codegen.version import __version__
from dynadeep.codegen.wiring import Source, most_inputs

RUNTIME_ABI = 7
"""DD_RUNTIME_ABI of the runtime that the templates are written for."""

DEFAULT_NAME = "model"
"""What symbols and files begin with unless somebody says otherwise."""

RESERVED, RESERVED_PREFIX = {"dd", "app", "board"}, "dd_"
"""What those of the runtime and the application begin with."""

C_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        alignas alignof auto bool break case char const constexpr continue default do double else
        enum extern false float for goto if inline int long nullptr register restrict return short
        signed sizeof static struct switch thread_local true typedef typeof union unsigned void
        volatile while
        """,
    )
)


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
    tile: int
    first: int


@dataclass(frozen=True)
class LineText:
    """One line of the network's plan."""

    place: str  # macro of its offset
    steps: int
    channels: int
    readers: int  # where its readers stand in the list
    count: int
    hold: int


@dataclass(frozen=True)
class EndText:
    """One input or output of the network."""

    number: int
    name: str
    steps: int
    channels: int
    scale: str  # a C float literal
    zero_point: int
    line: int  # the line that holds it


@dataclass(frozen=True)
class NetContext:
    """Everything that the templates of a network name."""

    name: str  # prefix of its symbols and files
    macro: str  # of its macros
    kit_version: str
    model_id: str
    model_id_bytes: str
    runtime_abi: int
    sample_rate_hz: int | None
    inputs: tuple[EndText, ...]
    outputs: tuple[EndText, ...]
    kernels: str  # macro of the kernel set
    buffers: Buffers
    layer_inputs: int  # the most that a layer may have
    stream: bool  # the streaming engine; else the layers engine
    values_bytes: int
    net_bytes: int
    input_bytes: int  # of all inputs together
    output_bytes_max: int  # of the largest output
    stack_bytes: int
    macs: int
    worst_macs: int  # of the streaming engine
    counts: int  # values of dd_net's counts
    stages: tuple[StageText, ...]
    sources: tuple[Source, ...]
    lines: tuple[LineText, ...]
    readers: tuple[str, ...]  # of all lines, as rows of numbers
    constant_bytes: int
    input_comment: str
    places: tuple[str, ...]  # enumerators of the offsets in the arena
    layers: tuple[LayerText, ...]
    headers: tuple[str, ...]  # of the kernels, and of what feeds the network
    tensor_count: int
    constant_count: int


def net_context(plan: Plan, name: str = DEFAULT_NAME) -> NetContext:
    """Put a plan's network into the words of the templates.

    Args:
        plan: all that was decided.
        name: what its symbols and files begin with; see ``check_name``.

    Raises:
        CodegenError: the manifest holds what cannot stand in C, or the name is none.
    """
    manifest, source = plan.manifest, plan.network.input
    macros = _macros(plan)
    layers = _layers(plan)
    streamed = isinstance(plan.memory, Schedule)
    return NetContext(
        name=check_name(name),
        macro=name.upper(),
        kit_version=__version__,
        model_id=manifest.model_id,
        model_id_bytes=c_text.byte_list(bytes.fromhex(manifest.model_id)),
        runtime_abi=RUNTIME_ABI,
        sample_rate_hz=manifest.sample_rate_hz,
        inputs=_ends(plan, manifest.inputs),
        outputs=_ends(plan, manifest.outputs),
        kernels=plan.choice.kernels.macro,
        buffers=plan.choice.buffers,
        layer_inputs=most_inputs(plan.network),
        stream=streamed,
        values_bytes=plan.values_bytes,
        net_bytes=plan.net_bytes,
        input_bytes=sum(tensor.size for tensor in plan.network.inputs),
        output_bytes_max=max(tensor.size for tensor in plan.network.outputs),
        stack_bytes=plan.stack_bytes,
        macs=plan.macs,
        worst_macs=plan.memory.worst_macs if isinstance(plan.memory, Schedule) else 0,
        counts=plan.count_bytes // 2,
        stages=_stages(plan, layers),
        sources=tuple(source for of_layer in plan.sources for source in of_layer),
        lines=_lines(plan, macros),
        readers=_readers(plan),
        constant_bytes=plan.constant_bytes,
        input_comment=f"{c_text.scale(source.scale)} x (code - {c_text.signed(source.zero_point)})",
        places=_places(plan, macros),
        layers=layers,
        headers=tuple(sorted({"dd_push.h", *(f"{layer.function}.h" for layer in layers)})),
        tensor_count=len(plan.tensors),
        constant_count=len(plan.constants),
    )


def check_name(name: str) -> str:
    """Return a name that a network's symbols and files can begin with.

    Raises:
        CodegenError: it is no C identifier in lower case, or somebody else's.
    """
    if re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name) is None or name in C_KEYWORDS:
        raise CodegenError(
            f"--name {name!r}: expected a C identifier of at most 31 lower-case letters, digits "
            "and underscores that is no keyword, like 'ecg'."
        )
    if name in RESERVED or name.startswith(RESERVED_PREFIX):
        raise CodegenError(
            f"--name {name}: the kit's own symbols begin with it. Choose another, like 'ecg'."
        )
    return name


def _ends(plan: Plan, specs: Sequence[TensorSpec]) -> tuple[EndText, ...]:
    """Return the network's inputs or outputs, each with the line that holds it."""
    lines = {tensor.name: line for line, tensor in enumerate(plan.network.tensors)}
    return tuple(
        EndText(
            number=number,
            name=spec.name,
            steps=spec.time,
            channels=spec.channels,
            scale=c_text.float_literal(spec.scale, f"the scale of {spec.name}"),
            zero_point=spec.zero_point,
            line=lines[plan.network.holder(spec.name)],
        )
        for number, spec in enumerate(specs)
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
    tiles = (
        [(stage.tile, stage.first) for stage in schedule.stages]
        if isinstance(schedule, Schedule)
        else [(0, 0)] * len(layers)
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
            tile=tile,
            first=first,
        )
        for text, sources, begin, (tile, first) in zip(
            layers, plan.sources, before, tiles, strict=False
        )
    )


def _lines(plan: Plan, macros: Mapping[str, str]) -> tuple[LineText, ...]:
    """Return all lines; of the layers engine nobody asks who reads one."""
    schedule = plan.memory
    if not isinstance(schedule, Schedule):
        return tuple(
            LineText(macros[tensor.name], tensor.time, tensor.channels, 0, 0, 0)
            for tensor in plan.network.tensors
        )
    before = accumulate((len(line.readers) for line in schedule.lines), initial=0)
    return tuple(
        LineText(
            place=macros[line.tensor.name],
            steps=line.tensor.time,
            channels=line.tensor.channels,
            readers=begin,
            count=len(line.readers),
            hold=line.hold,
        )
        for line, begin in zip(schedule.lines, before, strict=False)
    )


def _readers(plan: Plan) -> tuple[str, ...]:
    """Return the list of all lines' readers, source and stage, eight a row."""
    if not isinstance(plan.memory, Schedule):
        return ()
    stages = [number for number, sources in enumerate(plan.sources) for _ in sources]
    pairs = [
        f"{{{reader}, {stages[reader]}}}" for line in plan.memory.lines for reader in line.readers
    ]
    rows = [pairs[begin : begin + 8] for begin in range(0, len(pairs), 8)]
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
        return "kept as an output"
    return f"read by {plan.network.layers[span.last - 1].name}"


def _layers(plan: Plan) -> tuple[LayerText, ...]:
    rows = zip(plan.rows, first_traced(plan.network), strict=True)
    return tuple(layer_text(row, number, plan.choice.kernels) for row, number in rows)
