"""A report's page: what a test engineer asks first on top, everything measured below."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dynadeep.host_tools.page.compare import Change, Comparison, grown, number
from dynadeep.host_tools.page.cost import cost_sections, per_inference
from dynadeep.host_tools.page.document import Document, Limit, Parity
from dynadeep.host_tools.page.proof import proof_sections, use_sections
from dynadeep.host_tools.page.view import (
    Block,
    Cell,
    Column,
    Facts,
    Listing,
    Page,
    Section,
    Sheet,
    Table,
    Text,
    Tile,
    Tone,
    figure,
    short,
    size,
)

VERDICTS = {
    "parity": ("bit-exact", "NOT bit-exact"),
    "profile": ("measured", "over budget"),
    "bench": ("bit-exact", "NOT bit-exact"),
    "demo": ("everything held", "something did NOT hold"),
}


def page_of(reports: Sequence[Document], comparisons: Sequence[Comparison] = ()) -> Page:
    """Return the page of one report, or of a benchmark's, with what changed where it is known."""
    by_report = {comparison.report: comparison for comparison in comparisons}
    sheets = tuple(
        _sheet(report, by_report.get(report.name), f"r{index}" if len(reports) > 1 else "r")
        for index, report in enumerate(reports)
    )
    if len(sheets) == 1:
        title = f"{sheets[0].verdict}: {reports[0].model_id} on {reports[0].board}"
        return Page(title, sheets)
    exact = sum(sheet.held for sheet in sheets)
    title = f"{exact} of {len(sheets)} setups held: {reports[0].model_id}"
    return Page(title, sheets, (_overview(reports, sheets),))


def _sheet(report: Document, comparison: Comparison | None, name: str) -> Sheet:
    failures = tuple(failures_of(report, comparison))
    verdict = VERDICTS[report.command][0 if report.held else 1]
    if report.held and failures:
        verdict = "worse than before"
    if not report.complete and not _differs(report):
        verdict = "stopped early"
    kind = "emulated by QEMU" if report.emulated else "hardware"
    target = report.target
    return Sheet(
        id=name,
        title=report.name if report.command == "bench" else f"model {report.model_id}",
        subtitle=f"{report.board} ({kind}): {target.core} at {target.clock_hz / 1e6:g} MHz, "
        f"{target.engine} engine, {target.kernels} kernels",
        held=not failures,
        verdict=verdict,
        failures=failures,
        tiles=tuple(_tiles(report)),
        sections=tuple(_sections(report, comparison, name)),
    )


def _sections(report: Document, comparison: Comparison | None, name: str) -> Iterator[Section]:
    sections = [
        *([] if comparison is None else [_changes(comparison)]),
        *proof_sections(report),
        *cost_sections(report),
        *([_budgets(report.budgets)] if report.budgets else []),
        *use_sections(report),
        _setup(report),
    ]
    for section in sections:
        yield Section(f"{name}-{section.id}", section.title, section.blocks, section.intro)


def failures_of(report: Document, comparison: Comparison | None) -> Iterator[str]:
    """Yield what did not hold, a sentence each."""
    parity = report.parity
    if not report.complete:
        yield f"Not complete: {str(report.stopped).rstrip('.')}."
    elif parity is not None and not parity.bit_exact and not parity.differences:
        yield "Nothing was compared with the reference."
    for difference in parity.differences if parity is not None else ():
        yield f"Not equal to the reference: {difference}."
    for limit in report.budgets:
        if not limit.held:
            yield f"Over budget: {limit.name} {limit.measured:,}, at most {limit.limit:,}."
    for change in comparison.worse if comparison is not None else ():
        yield (
            f"Worse than before: {change.figure.name} {number(change.figure.value)}, was "
            f"{number(change.before)} ({grown(change)})."
        )


def _differs(report: Document) -> bool:
    return report.parity is not None and bool(report.parity.differences)


def _tiles(report: Document) -> Iterator[Tile]:
    parity, latency, memory = report.parity, report.latency, report.memory
    if parity is not None:
        yield Tile(
            "Parity",
            "differs" if parity.differences else "exact" if parity.bit_exact else "not compared",
            "",
            f"{_inputs(report, parity)} inputs x {parity.tensors} tensors, {parity.constants} "
            f"arrays of constants, {parity.results} {parity.noun}",
            "good" if parity.bit_exact else "bad",
        )
    if latency is not None:
        digits, unit = per_inference(latency)
        per_mac = "" if latency.per_mac is None else f"{latency.per_mac:.2f} per MAC, "
        macs, prefix = short(latency.macs)
        more = ""
        if latency.seconds is not None:
            more = f", {latency.seconds * 1e3:,.1f} ms"
        elif latency.cycles_estimate is not None:
            seconds = latency.cycles_estimate.total / report.target.clock_hz
            cycles, cycles_prefix = short(latency.cycles_estimate.total)
            more = f"; about {cycles} {cycles_prefix} cycles, {seconds * 1e3:,.0f} ms (estimated)"
        limit = _limit(report, "instructions")
        detail = f"an inference: {per_mac}{macs} {prefix} MAC{more}".replace("  ", " ")
        yield _gauged(Tile("Latency", digits, unit, detail), limit, None)
    if memory is not None:
        digits, unit = size(memory.flash_bytes).rsplit(" ", 1)
        arrays = memory.flash_bytes - memory.flash_by_kind.get("code", 0)
        detail = f"model {size(arrays)}, code {size(memory.flash_bytes - arrays)}"
        room = report.target.flash_bytes
        yield _gauged(Tile("Flash", digits, unit, detail), _limit(report, "flash"), room)
        digits, unit = size(memory.ram_bytes).rsplit(" ", 1)
        detail = f"static {size(memory.static_ram_bytes)}, stack {size(memory.stack_peak_bytes)}"
        room = report.target.ram_bytes
        yield _gauged(Tile("RAM", digits, unit, detail), _limit(report, "RAM"), room)
    if report.stream is not None:
        at = report.stream.at
        over = "" if at.violations is None else f", {at.violations:.1%} over the bound"
        bound = f"bound {at.bound:g} {report.stream.error_unit}{over}"
        detail = f"published CG {at.mean_cg:.1f}, at {bound}"
        yield Tile("Compression", f"{at.byte_cg:.1f}", "times fewer bytes", detail)


def _inputs(report: Document, parity: Parity) -> str:
    """Return how many inputs were compared, and of how many where not all were."""
    if report.complete or report.run is None:
        return f"{parity.segments}"
    return f"{parity.segments} of {report.run.inputs}"


def _limit(report: Document, word: str) -> Limit | None:
    return next((limit for limit in report.budgets if word in limit.name), None)


def _gauged(tile: Tile, limit: Limit | None, room: int | None) -> Tile:
    """Return a tile with a gauge of the budget, or else with what the board has."""
    if limit is not None:
        used = limit.measured / max(limit.limit, 1)
        text = f"{used:.0%} of the budget of {limit.limit:,}"
        tone: Tone = "" if limit.held else "bad"
        return replace(tile, tone=tone, gauge=min(used, 1.0), gauge_text=text)
    if room is not None:
        return replace(tile, gauge_text=f"of the board's {size(room)}")
    return tile


def _changes(comparison: Comparison) -> Section:
    rows = tuple(
        (
            Cell(change.figure.name),
            figure(change.before, number(change.before)),
            figure(change.figure.value, number(change.figure.value)),
            Cell(grown(change), change.percent, tone=_tone(change, comparison)),
            Cell(
                "worse"
                if change.worse(comparison.tolerance)
                else ""
                if change.figure.held
                else "shown only"
            ),
        )
        for change in comparison.changes
    )
    columns = (
        Column("figure", figures=False),
        Column("before"),
        Column("now"),
        Column("change"),
        Column("", figures=False),
    )
    table = Table(f"Changes since {comparison.old}", columns, rows)
    blocks: list[Block] = [*([table] if rows else []), *(Text(note) for note in comparison.notes)]
    unchanged = comparison.compared - len(comparison.changes)
    intro = (
        f"{comparison.compared} figures compared with {comparison.old}, {unchanged} of them "
        f"unchanged. Past {comparison.tolerance:g} % a figure that may not get worse fails."
    )
    return Section("changes", "What changed", tuple(blocks), intro)


def _tone(change: Change, comparison: Comparison) -> Tone:
    return "bad" if change.worse(comparison.tolerance) else ""


def _budgets(limits: Sequence[Limit]) -> Section:
    rows = tuple(
        (
            Cell(limit.name),
            figure(limit.measured),
            figure(limit.limit),
            figure(
                limit.measured / max(limit.limit, 1), f"{limit.measured / max(limit.limit, 1):.1%}"
            ),
            Cell("held" if limit.held else "EXCEEDED", tone="good" if limit.held else "bad"),
        )
        for limit in limits
    )
    columns = (
        Column("budget", figures=False),
        Column("measured"),
        Column("at most"),
        Column("used"),
        Column("", figures=False),
    )
    return Section("budgets", "Budgets", (Table("What it may cost", columns, rows),))


def _setup(report: Document) -> Section:
    target, memory = report.target, report.memory
    rows = [
        ("board", f"{report.board}: {target.description}"),
        ("core", f"{target.core}, {target.clock_hz / 1e6:g} MHz"),
        ("model", report.model_id),
        ("network", f"{len(report.network.layers)} layers, {report.network.macs:,} MAC"),
        ("firmware", f"{target.engine} engine, {target.kernels} kernels, built for {target.build}"),
        ("compiler", memory.compiler if memory is not None else "not known"),
        ("kit", f"{report.kit_version}, command {report.command}"),
    ]
    blocks: list[Block] = [Facts(tuple(rows))]
    if memory is not None:
        blocks.append(_elf_sections(report))
    if report.training_record:
        text = json.dumps(report.training_record, indent=2, ensure_ascii=False, default=str)
        blocks.append(Listing("Training record of the checkpoint", text))
    return Section("setup", "What was measured", tuple(blocks))


def _elf_sections(report: Document) -> Table:
    assert report.memory is not None
    rows = tuple(
        (
            Cell(section.name),
            figure(section.bytes),
            Cell("yes" if section.in_flash else ""),
            Cell("yes" if section.in_ram else ""),
        )
        for section in report.memory.sections
    )
    columns = (
        Column("section", figures=False),
        Column("bytes"),
        Column("in flash", figures=False),
        Column("in RAM", figures=False),
    )
    return Table("Sections of the ELF file", columns, rows, folded=True)


def _overview(reports: Sequence[Document], sheets: Sequence[Sheet]) -> Section:
    rows = tuple(
        (
            Cell(report.board),
            Cell(report.target.core),
            Cell(report.target.engine),
            Cell(report.target.kernels),
            Cell(report.target.build),
            figure(None if report.latency is None else report.latency.least_per_segment),
            figure(None if report.memory is None else report.memory.flash_bytes),
            figure(None if report.memory is None else report.memory.ram_bytes),
            Cell(sheet.verdict, tone="good" if sheet.held else "bad"),
        )
        for report, sheet in zip(reports, sheets, strict=True)
    )
    units = {report.latency.unit for report in reports if report.latency is not None}
    columns = (
        *(Column(name, figures=False) for name in ("board", "core", "engine", "kernels", "build")),
        Column(" or ".join(sorted(units)) or "latency"),
        Column("flash bytes"),
        Column("RAM bytes"),
        Column("result", figures=False),
    )
    return Section("overview", "All setups", (Table("One row a setup", columns, rows),))
