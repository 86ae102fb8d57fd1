"""Documents from what was measured: the one place where report.json's values come from."""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dynadeep.codegen.applications import ram_bytes
from dynadeep.codegen.arena import Arena
from dynadeep.codegen.code_size import flash_bytes
from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.numerics import MarginTable
from dynadeep.codegen.plan import LayerRow, Plan
from dynadeep.codegen.prediction import predict_for
from dynadeep.codegen.running import State
from dynadeep.codegen.version import __version__
from dynadeep.host_tools.codec.report import CodecReport
from dynadeep.host_tools.codec.stream import StreamResult
from dynadeep.host_tools.measure.known import KnownNetwork
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.report import Report
from dynadeep.host_tools.page import document as written
from dynadeep.host_tools.page.document import SCHEMA, Document, Documents, Example


def document_of(
    report: Report, stream: written.Stream | None = None, stopped: str | None = None
) -> Document:
    """Return the report of one board as it is written; ``stopped``: what ended it early."""
    memory = report.memory
    return Document(
        schema=SCHEMA,
        kit_version=__version__,
        command=report.command,
        board=report.board.name,
        emulated=report.emulated,
        model_id=report.manifest.model_id,
        held=report.held and stopped is None,
        target=_target(report),
        network=network_of(report.plan),
        parity=None if report.parity is None else parity_of(report.parity),
        latency=None if report.latency is None else latency_of(report.latency),
        memory=None if memory is None else memory_of(memory, report.plan),
        predicted=_predicted(report),
        budgets=tuple(written.Limit(**asdict(limit), held=limit.held) for limit in report.budgets),
        peers=peers_of(report.known),
        stream=stream,
        training_record=report.manifest.record,
        complete=stopped is None,
        stopped=stopped,
        run=report.run,
    )


def stream_of(report: CodecReport, examples: Sequence[Example]) -> written.Stream:
    """Return what a codec's stream adds, with some of its segments to be drawn."""
    manifest = report.board.manifest
    codec = manifest.need_codec()
    margins = MarginTable.of_segments(codec).real_at(report.stream.bound)
    return written.Stream(
        error_unit=codec.error_unit,
        sample_rate_hz=manifest.rate_hz,
        adc_units_per_mv=codec.adc_gain,
        adc_baseline=codec.adc_baseline,
        margins={
            level.name: round(float(margin), 6)
            for level, margin in zip(codec.levels, margins, strict=True)
        },
        records=report.records,
        at=_bound(report.stream),
        bounds=tuple(map(_bound, report.bounds)),
        examples=tuple(examples),
    )


def plain(report: Document | Documents) -> dict[str, Any]:
    """Return a report as what JSON holds, without the parts that were not measured."""
    content = asdict(report)
    if isinstance(report, Documents):
        return content | {"reports": [plain(part) for part in report.reports]}
    return {key: value for key, value in content.items() if value is not None}


def network_of(plan: Plan) -> written.Network:
    """Return what the plan says of a network."""
    rows = plan.rows
    kinds: dict[str, dict[str, int]] = {row.layer.name: {} for row in rows}
    for constant in plan.constants:
        kinds[constant.layer][constant.kind] = constant.array.nbytes
    layers = tuple(_layer(row, kinds[row.layer.name]) for row in rows)
    return written.Network(plan.macs, layers, plan.memory.size, tuple(_spans(plan)))


def _layer(row: LayerRow, constants: dict[str, int]) -> written.LayerInfo:
    layer = row.layer
    return written.LayerInfo(
        name=layer.name,
        what=layer.summary,
        input=", ".join(map(_shape, layer.inputs)),
        output=_shape(layer.output),
        macs=layer.macs,
        constants=constants,
    )


def _shape(tensor: Tensor) -> str:
    return "state" if isinstance(tensor, State) else f"{tensor.time}x{tensor.channels}"


def _spans(plan: Plan) -> list[written.Span]:
    """Return where each tensor lies and when; a line of the stream is stage n's at moment n + 1."""
    memory, end = plan.memory, len(plan.network.layers)
    if isinstance(memory, Arena):
        return [
            written.Span(
                span.name, memory.offsets[span.name], span.size, span.first, min(span.last, end)
            )
            for span in memory.spans
        ]
    return [
        written.Span(
            line.tensor.name,
            line.offset,
            line.size,
            0 if line.life is None else line.life[0] + 1,
            end if line.life is None else line.life[1] + 1,
        )
        for line in memory.lines
    ]


def _target(report: Report) -> written.Target:
    board, choice = report.board, report.plan.choice
    return written.Target(
        description=board.description,
        core=board.core.cpu,
        clock_hz=board.core.clock_hz,
        engine=choice.engine,
        kernels=choice.kernels.name,
        build=report.build,
        flash_bytes=None if board.flash is None else board.flash.bytes,
        ram_bytes=None if board.ram is None else board.ram.bytes,
    )


def parity_of(parity: ParityResult) -> written.Parity:
    """Return what was compared and what differed."""
    return written.Parity(
        bit_exact=parity.bit_exact,
        segments=parity.segments,
        tensors=parity.tensors,
        fused_tensors=parity.fused_tensors,
        constants=parity.constants,
        results=parity.results,
        noun=parity.noun,
        levels=dict(parity.kinds),
        differences=parity.differences,
    )


def latency_of(latency: Latency) -> written.Latency:
    """Return what one inference costs."""
    return written.Latency(
        unit=latency.unit,
        per_segment=latency.per_segment,
        least_per_segment=latency.least,
        per_mac=None if latency.per_mac is None else round(latency.per_mac, 4),
        segments=latency.segments,
        macs=latency.macs,
        ticks_per_segment=latency.ticks,
        counter=written.Counter(latency.counter.rate_hz, latency.counter.per_tick),
        layers=latency.layers,
        seconds=latency.seconds,
        cycles_estimate=latency.cycles,
        cycles_missing=latency.cycles_missing,
    )


def memory_of(memory: Memory, plan: Plan) -> written.Memory:
    """Return what the firmware takes; code is all in flash that is none of the model's arrays."""
    kinds: Tally[str] = Tally()
    for constant in plan.constants:
        kinds[constant.kind] += constant.array.nbytes
    return written.Memory(
        flash_bytes=memory.flash_bytes,
        ram_bytes=memory.ram_bytes,
        static_ram_bytes=memory.static_ram_bytes,
        stack_peak_bytes=memory.stack_peak_bytes,
        stack_reserved_bytes=memory.stack_reserved_bytes,
        compiler=memory.compiler,
        sections=memory.sections,
        flash_by_kind={"code": memory.flash_bytes - kinds.total(), **kinds},
        flash_by_layer=memory.flash_by_layer,
        arena_by_layer=memory.arena_by_layer,
        flash_by_symbol=memory.flash_by_symbol,
        ram_by_use=_ram_by_use(memory, plan),
        ram_by_symbol=memory.ram_by_symbol,
    )


def _ram_by_use(memory: Memory, plan: Plan) -> dict[str, int]:
    """Return what the static RAM is for, as the plan says; the rest is the application's own."""
    uses = {
        "activations": plan.values_bytes,
        "engine's state": plan.net_bytes - plan.values_bytes,
        "request buffer": plan.value_bytes * plan.chunk,
    }
    if plan.manifest.codec is not None:
        uses["codec's state"] = plan.encoder_bytes - plan.net_bytes
    return {
        **uses,
        "replies, packets, all else": max(memory.static_ram_bytes - sum(uses.values()), 0),
    }


def peers_of(network: KnownNetwork | None) -> written.Peers | None:
    """Return what other ways to run this very network cost; None where nobody has measured it."""
    if network is None or not network.peers:
        return None
    return written.Peers(network.name, network.source, network.peers)


def _predicted(report: Report) -> written.Predicted | None:
    """Return what the plan foretold for a microcontroller."""
    plan, board = report.plan, report.board
    if not board.cortex_m or board.ram is None:
        return None
    prediction = predict_for(plan, board)
    return written.Predicted(
        flash_bytes=flash_bytes(plan, board),
        static_ram_bytes=ram_bytes(plan, board) - board.ram.stack_bytes,
        stack_bytes=plan.stack_bytes,
        instructions=round(prediction.instructions),
        cycles=round(prediction.cycles),
        instructions_by_layer=_rounded(prediction.instructions_by_layer),
        cycles_by_layer=_rounded(prediction.cycles_by_layer),
    )


def _rounded(counts: Mapping[str, float]) -> dict[str, int]:
    return {name: round(count) for name, count in counts.items()}


def _bound(result: StreamResult) -> written.Bound:
    return written.Bound(**asdict(result))
