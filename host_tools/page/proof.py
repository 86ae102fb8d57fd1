"""What was proven: parity, a codec's stream over its reconstruction, other ways to run it."""

from collections.abc import Iterator

from dynadeep.host_tools.measure.application import Difference, Excerpt
from dynadeep.host_tools.page.charts import millivolts, plot_of
from dynadeep.host_tools.page.document import Bound, Document, Example, Parity, Peers, Stream
from dynadeep.host_tools.page.view import (
    Block,
    Cell,
    Column,
    Heading,
    Plot,
    Section,
    Table,
    Text,
    Tone,
    figure,
)

SAMPLE_BYTES = 2


def proof_sections(report: Document) -> Iterator[Section]:
    """Yield a section of each check that was made."""
    if report.parity is not None:
        yield _parity(report.parity)


def use_sections(report: Document) -> Iterator[Section]:
    """Yield what a codec's stream came to, and the peers, where there are any."""
    if report.stream is not None:
        yield _reconstruction(report.stream)
    if report.peers is not None:
        yield _peers(report, report.peers)


def _parity(parity: Parity) -> Section:
    kinds = {difference.kind for difference in parity.differences}
    rows = (
        ("arrays of constants, as they lie in flash", parity.constants, "once", "constant"),
        (
            "tensors: each layer's own output, and once more those that the firmware keeps",
            parity.tensors + parity.fused_tensors,
            "each input",
            "tensor",
        ),
        (parity.noun, parity.results, "in all", ""),
    )
    results = kinds - {"constant", "tensor"}
    cells = tuple(
        (
            Cell(name),
            figure(count),
            Cell(per),
            _verdict(bool(results if not kind else kinds & {kind})),
        )
        for name, count, per, kind in rows
    )
    columns = (
        Column("compared with the reference, bit by bit", figures=False),
        Column("number"),
        Column("of", figures=False),
        Column("result", figures=False),
    )
    blocks: list[Block] = [Table("What was compared", columns, cells)]
    for difference in parity.differences:
        blocks += list(_difference(difference))
    if parity.levels:
        counts = ", ".join(f"{name} {count}" for name, count in parity.levels.items())
        blocks.append(Text(f"{parity.noun.capitalize()} at each level: {counts}.", "muted"))
    intro = f"{parity.segments} inputs, compared with TFLite's reference kernels."
    if parity.differences:
        intro += " The comparison ends with the first input that differs."
    return Section("parity", "Parity", tuple(blocks), intro)


def _verdict(differs: bool) -> Cell:
    return Cell("differs", tone="bad") if differs else Cell("equal", tone="good")


def _difference(difference: Difference) -> Iterator[Block]:
    yield Heading(f"{difference.kind} {difference.name}", (f"layer {difference.layer}",))
    yield Text(f"First difference: {difference}.", "bad")
    if difference.around is not None:
        yield Text(
            f"{difference.around.wrong:,} of the tensor's {difference.around.size:,} values differ."
        )
        yield _difference_plot(difference, difference.around)


def _difference_plot(difference: Difference, around: Excerpt) -> Plot:
    time = difference.time or 0
    return plot_of(
        f"{difference.name}, channel {difference.channel}, segment {difference.segment}",
        f"The board's values over the reference's around time step {time}, where they first "
        f"differ: {difference.board} on the board, {difference.reference} in the reference.",
        ("reference", around.reference),
        ("board", around.board),
        start=around.first,
        step=1,
        x_label="time step",
        y_label="int8 value",
        mark=(time, f"first difference, step {time}"),
    )


def _reconstruction(stream: Stream) -> Section:
    bounds = Table(
        f"{stream.at.segments} segments of {stream.records} recordings at each bound",
        (
            Column(f"bound ({stream.error_unit})"),
            *(Column(level) for level in stream.at.levels),
            Column("mean CG", hint="published accounting: samples per transmitted value"),
            Column("byte CG", hint="bytes of int16 samples over bytes of packets"),
            Column("PRD %"),
            Column("PRDN %"),
            Column("over the bound"),
            Column("clipped"),
        ),
        tuple(
            _bound_row(bound, requested=bound.bound == stream.at.bound) for bound in stream.bounds
        ),
    )
    blocks: list[Block] = [bounds]
    for example in stream.examples:
        blocks += list(_example(example, stream))
    intro = (
        "Segments that went over the link as packets, decoded. Of each level the segment of median "
        f"PRD is drawn, and the worst, at the bound of {stream.at.bound:g} {stream.error_unit}."
    )
    return Section("reconstruction", "ECG and its reconstruction", tuple(blocks), intro)


def _bound_row(bound: Bound, *, requested: bool) -> tuple[Cell, ...]:
    over = bound.violations
    return (
        figure(bound.bound, f"{bound.bound:g}" + (" (asked for)" if requested else "")),
        *(figure(count) for count in bound.levels.values()),
        figure(bound.mean_cg, f"{bound.mean_cg:.2f}"),
        figure(bound.byte_cg, f"{bound.byte_cg:.2f}"),
        figure(bound.prd, _percent(bound.prd)),
        figure(bound.prdn, _percent(bound.prdn)),
        figure(over, "" if over is None else f"{over:.1%}"),
        figure(bound.clipped, f"{bound.clipped:.2%}"),
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _example(example: Example, stream: Stream) -> Iterator[Block]:
    raw = SAMPLE_BYTES * len(example.samples)
    yield Heading(
        f"{example.record}, segment {example.segment}", (f"level {example.level}", example.why)
    )
    yield Text(_sentence(example, stream, raw))
    scale = (stream.adc_units_per_mv, stream.adc_baseline)
    yield plot_of(
        f"{example.record}, segment {example.segment}, level {example.level}",
        f"The recorded ECG and what was decoded of {example.bytes:,} bytes, in millivolts over "
        f"{len(example.samples) / stream.sample_rate_hz:.1f} seconds.",
        ("recorded", millivolts(example.samples, *scale)),
        ("decoded", millivolts(example.decoded, *scale)),
        start=0.0,
        step=1 / stream.sample_rate_hz,
        x_label="seconds",
        y_label="mV",
    )


def _sentence(example: Example, stream: Stream, raw: int) -> str:
    foretold = ", ".join(
        f"{name} {error:.3f} + margin {stream.margins.get(name, 0.0):.3f}"
        for name, error in example.predicted.items()
    )
    loss = "not known" if example.loss is None else f"{example.loss:.3f}"
    prd = "not known" if example.prd is None else f"{example.prd:.2f} %"
    return (
        f"{example.bytes:,} bytes of {raw:,} ({raw / max(example.bytes, 1):.1f} times fewer). "
        f"Predicted error ({stream.error_unit}): {foretold}; bound {stream.at.bound:g}; "
        f"as it came true: {loss}. PRD {prd}."
    )


def _peers(report: Document, peers: Peers) -> Section:
    latency, memory, parity = report.latency, report.memory, report.parity
    counted = latency is not None and latency.unit == "instructions"
    firmware_row = (
        Cell(f"this firmware on {report.board}, all included"),
        Cell(""),
        _millions(latency.per_segment if latency is not None and counted else None),
        _kilobytes(None if memory is None else memory.flash_bytes),
        _kilobytes(None if memory is None else memory.ram_bytes),
        Cell("-" if parity is None else "yes" if parity.bit_exact else "no", tone=_tone(parity)),
    )
    rows = [
        (
            Cell(peer.name),
            Cell(peer.flags),
            _millions(peer.instructions),
            _kilobytes(peer.flash_bytes),
            _kilobytes(peer.ram_bytes),
            Cell(peer.bit_exact),
        )
        for peer in peers.figures
    ]
    columns = (
        Column("", figures=False),
        Column("flags", figures=False),
        Column("M instructions"),
        Column("flash KB"),
        Column("RAM KB"),
        Column("bit-exact", figures=False),
    )
    table = Table(f"{peers.network} on a Cortex-M4", columns, (firmware_row, *rows))
    return Section("peers", "Other ways to run it", (table,), f"{peers.source}.")


def _tone(parity: Parity | None) -> Tone:
    if parity is None:
        return "muted"
    return "good" if parity.bit_exact else "bad"


def _millions(count: int | None) -> Cell:
    return figure(count, "" if count is None else f"{count / 1e6:,.1f}")


def _kilobytes(count: int | None) -> Cell:
    return figure(count, "" if count is None else f"{count / 1e3:,.1f}")
