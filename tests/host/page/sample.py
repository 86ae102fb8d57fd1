"""Reports as the commands make them, without a board: a plan's own network, figures made up."""

import math
from collections.abc import Sequence
from dataclasses import replace

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.planner import PlanSettings, plan_for
from dynadeep.host_tools.link.device import Counter
from dynadeep.host_tools.measure.application import Difference, Excerpt
from dynadeep.host_tools.measure.known import KnownNetwork, Peer
from dynadeep.host_tools.measure.latency import Latency, LayerLatency
from dynadeep.host_tools.measure.memory import Memory, Section
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.report import Report
from dynadeep.host_tools.page.document import Bound, Document, Example, Stream
from dynadeep.host_tools.page.make import document_of

BOARD = "mps2-an386"
HOSTILE = "</title><script>alert(1)</script>\"'`|*[x](javascript:1)\x1b[31m\u202e\ud800\x00&amp;"


def whole(bundle: Bundle, engine: str = "stream") -> Document:
    """Return a report with every part, in which all held."""
    board = load_board(BOARD)
    plan = plan_for(bundle, board, PlanSettings(engine))
    report = Report(
        command="demo",
        board=board,
        emulated=True,
        plan=plan,
        parity=ParityResult(
            18, 27, 15, len(plan.constants), 18, "packets", {"none": 6, "cg32": 12}
        ),
        latency=latency(plan),
        memory=memory(plan),
        budget=board.budget,
        known=KnownNetwork("Tiny", (), "made up", (Peer("other", "-O3", 9_000, 9, 9, "yes"),)),
    )
    return document_of(report, stream())


def differing(report: Document) -> Document:
    """Return the same report of a board whose first layer is not equal to the reference."""
    reference = tuple(round(60 * math.sin(step / 9)) for step in range(97))
    board = tuple(value + 3 * (step >= 48) for step, value in enumerate(reference))
    difference = Difference(
        kind="tensor",
        layer="conv1",
        name="conv1/conv",
        board=str(board[48]),
        reference=str(reference[48]),
        segment="100/3",
        channel=2,
        time=148,
        around=Excerpt(100, board, reference, wrong=172, size=640),
    )
    assert report.parity is not None
    parity = replace(report.parity, bit_exact=False, differences=(difference,))
    return replace(report, parity=parity, held=False)


def hostile(report: Document) -> Document:
    """Return the same report with names that a model or a file may have, everywhere."""
    report = differing(report)
    assert report.parity is not None
    assert report.latency is not None
    assert report.memory is not None
    assert report.stream is not None
    (difference,) = report.parity.differences
    network = report.network
    layers = (replace(network.layers[0], name=HOSTILE, what=HOSTILE), *network.layers[1:])
    spans = (replace(network.spans[0], tensor=HOSTILE), replace(network.spans[1], tensor=HOSTILE))
    timed = (replace(report.latency.layers[0], layer=HOSTILE), *report.latency.layers[1:])
    example = replace(report.stream.examples[0], record=HOSTILE, level=HOSTILE)
    return replace(
        report,
        model_id=HOSTILE,
        target=replace(report.target, description=HOSTILE, core=HOSTILE),
        network=replace(network, layers=layers, spans=spans),
        parity=replace(
            report.parity,
            differences=(replace(difference, layer=HOSTILE, name=HOSTILE, segment=HOSTILE),),
        ),
        latency=replace(report.latency, layers=timed),
        memory=replace(report.memory, compiler=HOSTILE, ram_by_symbol={HOSTILE: 99}),
        stream=replace(report.stream, error_unit=HOSTILE, examples=(example,)),
        training_record={HOSTILE: [HOSTILE]},
    )


def latency(plan: Plan) -> Latency:
    layers = [LayerLatency("input", 1_500, 0)]
    layers += [
        LayerLatency(layer.name, 900 + 3 * layer.macs, layer.macs) for layer in plan.network.layers
    ]
    total = sum(layer.count for layer in layers)
    counter = Counter("instructions", 25_000_000, 40.0)
    return Latency(
        "instructions", total, total - 900, 3, plan.macs, total // 40, counter, tuple(layers)
    )


def memory(plan: Plan) -> Memory:
    flash = {row.layer.name: row.constant_bytes for row in plan.rows}
    return Memory(
        flash_bytes=sum(flash.values()) + 10_240,
        static_ram_bytes=5_000,
        stack_peak_bytes=1_200,
        stack_reserved_bytes=4_096,
        compiler="GCC: (15:12.2.rel1-1) 12.2.1 20221205",
        sections=(
            Section(".text", 12_000, in_flash=True, in_ram=False),
            Section(".bss", 5_000, in_flash=False, in_ram=True),
        ),
        flash_by_layer=flash,
        arena_by_layer={row.layer.name: row.in_bytes + row.out_bytes for row in plan.rows},
        flash_by_symbol={"dd_conv1d_s8": 1_404, "dd_stream_run": 820, "main": 64},
        ram_by_symbol={"encoder": 3_100, "request": 640, "reply": 300, "seen": 120},
    )


def stream(bounds: Sequence[float] = (5.0, 8.0)) -> Stream:
    """Return a stream of two segments, one of them compressed."""
    results = tuple(
        Bound(
            bound, 2, {"none": 1, "cg32": 1}, 16.5, 1.9, 1_280, 674, 2.0, 5.0, 4.0, 10.0, 0.0, 0.0
        )
        for bound in bounds
    )
    samples = tuple(1024 + round(150 * math.sin(step / 6)) for step in range(320))
    decoded = tuple(value + step % 7 - 3 for step, value in enumerate(samples))
    drawn = Example("100", 1, "typical", "cg32", {"cg32": 7.2}, 6.8, 4.0, 74, samples, decoded)
    return Stream("PRD %", 360.0, 200.0, 1024, {"cg32": 0.5}, 1, results[-1], results, (drawn,))
