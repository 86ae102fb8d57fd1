"""The whole kit in one go: checkpoint to firmware, checked, measured, and its ECG decoded."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.codegen.describe import describe_plan
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.lock import locked
from dynadeep.codegen.planner import explain, plan_for
from dynadeep.codegen.progress import counted, step
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.codec import stream
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.codec.report import CodecReport
from dynadeep.host_tools.errors import BudgetError
from dynadeep.host_tools.measure import latency, parity, profile
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.measure.report import Report, over_budget, report_of
from dynadeep.host_tools.page.document import Document
from dynadeep.host_tools.page.make import document_of, stream_of
from dynadeep.host_tools.page.segments import examples_of
from dynadeep.host_tools.pipeline import Station
from dynadeep.host_tools.study.excerpt import sample_records
from dynadeep.host_tools.study.export import export_checkpoint
from dynadeep.host_tools.study.truth import make_judge

BOUND_FACTORS = (0.4, 1.0, 1.6)
"""The bounds that are streamed, as multiples of the one asked for: 0.3, 0.75 and 1.2 for 0.75.
They lie so far apart that the levels in use differ."""

LATENCY_SEGMENTS = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Watch:
    """Who is told how far the demo is."""

    say: Say  # a line for each stage
    begin: Callable[[Report], None] = lambda report: None  # nothing measured yet
    put: Callable[[Report], None] = lambda report: None  # what was measured so far
    columns: int | None = None  # of the terminal that the lines go to


@dataclass(frozen=True)
class DemoConfig:
    """What the demo is told."""

    out: Path
    board: str
    checkpoint: Path | None = None  # the shipped one
    bound: float | None = None  # the model's default
    segments: int = 5  # streamed of each recording, at each bound


@dataclass(frozen=True)
class DemoResult:
    """What the demo measured, and the same as it is written."""

    report: CodecReport
    document: Document


def run_demo(config: DemoConfig, watch: Watch) -> DemoResult:
    """Run every stage; ``watch`` is told of each.

    Raises:
        DynadeepError: a stage could not be run. What was run and did not hold is in the report.
    """
    board = load_board(config.board)
    if not board.cortex_m or board.emulator is None:
        raise BoardError(f"{board.name}: the demo needs an emulated microcontroller; see 'boards'.")
    say = watch.say
    with locked(config.out):
        bundle = _export(config, say)
        folder = config.out / "firmware"
        plan = plan_for(bundle, board)
        say(f"generate  C for {board.name}\n\n{describe_plan(plan, board, watch.columns)}")
        say("\n".join([*explain(plan, board), ""]))
        say("build     with CMake")
        with step("building the firmware"):
            firmware = pipeline.make_firmware(bundle, config.board, folder)
        say(f"start     {board.description}")
        with pipeline.connect(bundle, config.board, elf=firmware.elf) as station:
            return _measure(station, config, watch)


def require_held(report: CodecReport) -> None:
    """Refuse a report in which something did not hold.

    Raises:
        ParityError: the board is not bit-exact.
        BudgetError: the firmware costs more than it may.
    """
    board = report.board
    if board.parity is not None:
        parity.require_exact(board.parity)
    exceeded = over_budget(board)
    if exceeded:
        raise BudgetError(f"over budget: {'; '.join(exceeded)}.")


def _export(config: DemoConfig, say: Say) -> Bundle:
    say("export    checkpoint to ONNX, then to int8 TFLite")
    done = export_checkpoint(config.checkpoint, config.out / "bundle")
    say(
        f"          model {done.model_id}: ONNX within {done.onnx_difference:.1g} of PyTorch; "
        f"{done.tensors_checked} tensors equal in TFLite and TFLite-Micro"
    )
    return read_bundle(done.folder)


def _measure(station: Station, config: DemoConfig, watch: Watch) -> DemoResult:
    manifest, say = station.bundle.manifest, watch.say
    board = report_of(station, "demo")
    watch.begin(board)
    cases = golden_cases(station.bundle)
    application = application_of(station)
    say(f"parity    {len(cases)} segments, {len(station.plan.tensors)} tensors each")
    with counted("parity", len(cases)) as advance:

        def on_case(so_far: ParityResult) -> None:
            watch.put(replace(board, parity=so_far))
            advance()

        compared = parity.check(station.device, station.plan, cases, application, on_case)
    watch.put(board := replace(board, parity=compared))
    say("latency   by the board's counter")
    segments = [case.input for case in cases[:LATENCY_SEGMENTS]]
    with step("measuring"):
        cost = latency.measure(station.device, station.plan, segments, application)
    say("cycles    estimated of what an emulator executes")
    with step("counting what is executed"):
        cost = profile.with_cycles(cost, station, application_of)
    watch.put(board := replace(board, latency=cost))
    records = sample_records(manifest, segments=config.segments)
    bound = manifest.default_bound if config.bound is None else config.bound
    decoder = Decoder(station.bundle)
    runs = len(BOUND_FACTORS) * sum(len(record.segments) for record in records)
    with counted("stream", runs) as advance:
        station.device.on_segment = advance
        streams = stream.stream_at_bounds(
            station.device,
            decoder,
            records,
            [round(factor * bound, 6) for factor in BOUND_FACTORS],
            judge=make_judge(manifest),
            on_bound=lambda value: say(f"stream    {len(records)} recordings, bound {value:g}"),
        )
    results = tuple(streamed.result for streamed in streams)
    used = profile.measure_memory(station)  # last: the stack's peak covers all of the above
    assert used is not None  # run_demo took a microcontroller and built its firmware
    board = replace(board, memory=used)
    requested = BOUND_FACTORS.index(1.0)
    report = CodecReport(board, results[requested], results, len(records))
    stream_document = stream_of(report, examples_of(streams[requested], records, decoder))
    return DemoResult(report, document_of(board, stream_document))
