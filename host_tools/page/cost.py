"""What the network costs: latency by layer, flash and RAM, what was foretold of them."""

from collections.abc import Iterator, Mapping

from dynadeep.host_tools.cycles.estimate import CyclesEstimate
from dynadeep.host_tools.page.charts import arena_map, stack_of
from dynadeep.host_tools.page.document import Document, Latency, Memory, Network, Predicted
from dynadeep.host_tools.page.view import (
    UNKNOWN,
    Block,
    Cell,
    Column,
    Section,
    Table,
    Text,
    barred,
    change,
    figure,
    short,
)

KINDS = {
    "code": "code and all else",
    "weights": "weights",
    "table": "tables",
    "bias": "biases",
    "multiplier": "multipliers",
    "shift": "shifts",
}
"""What the model's arrays are called, in the order of the bars."""


def cost_sections(report: Document) -> Iterator[Section]:
    """Yield a section of each cost that was measured."""
    if report.latency is not None:
        yield _latency(report.latency, report.network, report.predicted)
    if report.memory is not None:
        yield _memory(report.memory, report.network)
    yield _over_time(report)
    if report.predicted is not None and (report.latency or report.memory):
        yield _predictions(report, report.predicted)


def _latency(latency: Latency, network: Network, predicted: Predicted | None) -> Section:
    estimate = latency.cycles_estimate
    infos = {layer.name: layer for layer in network.layers}
    total = sum(layer.count for layer in latency.layers)
    counts = barred([layer.count for layer in latency.layers])
    foretold: Mapping[str, int] = {}
    if predicted is not None and latency.unit == "instructions":
        foretold = predicted.instructions_by_layer
    inside = None if estimate is None else estimate.instructions_by_layer  # the kernels alone
    cycles = {} if predicted is None else predicted.cycles_by_layer
    rows = []
    for number, (layer, count) in enumerate(zip(latency.layers, counts, strict=True)):
        info = infos.get(layer.layer)
        cells = [
            figure(number),
            Cell(layer.layer),
            Cell("" if info is None else f"{info.what}, {info.input} to {info.output}"),
            figure(layer.macs),
            count,
            figure(layer.count / max(total, 1), f"{layer.count / max(total, 1):.1%}"),
            _ratio(layer.count, layer.macs),
        ]
        if foretold:
            measured = layer.count if inside is None else inside.get(layer.layer, layer.count)
            cells.append(_predicted(foretold.get(layer.layer), measured))
        if estimate is not None:
            cells.append(figure(estimate.layers.get(layer.layer)))
            cells.append(_predicted(cycles.get(layer.layer), estimate.layers.get(layer.layer, 0)))
        rows.append(tuple(cells))
    columns = _layer_columns(latency.unit, foretold=bool(foretold), estimated=estimate is not None)
    blocks: list[Block] = [Table("Layers in the order of execution", columns, tuple(rows))]
    if estimate is None and latency.cycles_missing:
        blocks.append(Text(f"No estimate of cycles: {latency.cycles_missing}", "muted"))
    if estimate is not None:
        blocks.insert(0, Text(_estimate(estimate)))
        if estimate.functions:
            blocks.append(_functions(estimate.functions))
    return Section("latency", "Latency by layer", tuple(blocks), _counted(latency))


def _layer_columns(unit: str, *, foretold: bool, estimated: bool) -> tuple[Column, ...]:
    kernel = "of the kernel, and measured over predicted"
    return (
        Column("#"),
        Column("layer", figures=False),
        Column("what it does", figures=False),
        Column("MAC"),
        Column(unit),
        Column("share"),
        Column(f"{unit} per MAC"),
        *([Column("predicted", hint=kernel)] if foretold else []),
        *([Column("cycles, estimated")] if estimated else []),
        *([Column("predicted", hint="and estimated over predicted")] if estimated else []),
    )


def _counted(latency: Latency) -> str:
    digits = f"{latency.least_per_segment:,} to {latency.per_segment:,} {latency.unit}"
    runs = f"{digits} an inference, over {latency.segments} inputs."
    if latency.unit == "instructions":
        return f"{runs} Counted in an emulator: instructions, not cycles."
    return f"{runs} Counted by the board's own counter."


def _estimate(cycles: CyclesEstimate) -> str:
    hidden = f", of which a cache hides {cycles.cache_hit_rate:.0%}" if cycles.wait_states else ""
    return (
        f"About {cycles.total:,} cycles on a {cycles.core}, {cycles.per_instruction:.2f} an "
        "instruction: an estimate, not a measurement, of the run that takes least. "
        f"{cycles.besides:,} of them are besides the layers' kernels. Flash with "
        f"{cycles.wait_states} wait states{hidden}. Assumed: {cycles.assumed or 'nothing'}. "
        f"Costs: {cycles.source}."
    )


def _functions(functions: Mapping[str, int]) -> Table:
    ordered = sorted(functions.items(), key=lambda item: -item[1])
    cells = barred([count for _, count in ordered])
    rows = tuple((Cell(name), cell) for (name, _), cell in zip(ordered, cells, strict=True))
    return Table(
        "Functions", (Column("function", figures=False), Column("cycles, estimated")), rows
    )


def _ratio(count: int, macs: int) -> Cell:
    return figure(count / macs, f"{count / macs:.2f}") if macs else figure(None)


def _predicted(foretold: int | None, measured: int) -> Cell:
    if foretold is None:
        return figure(None)
    return figure(foretold, f"{foretold:,} ({change(foretold, measured)})")


def _memory(memory: Memory, network: Network) -> Section:
    kinds = sorted(memory.flash_by_kind.items(), key=lambda item: _kind_index(item[0]))
    flash = stack_of("Flash", [(KINDS.get(kind, kind), size) for kind, size in kinds], None)
    unused = max(memory.stack_reserved_bytes - memory.stack_peak_bytes, 0)
    ram = stack_of("RAM", _ram_parts(memory), ("stack reserved, never reached", unused))
    blocks: list[Block] = [flash, ram, _by_layer(memory, network), *_symbols(memory)]
    intro = (
        f"RAM is {memory.static_ram_bytes:,} bytes of variables and {memory.stack_peak_bytes:,} of "
        f"stack at its peak, of {memory.stack_reserved_bytes:,} reserved. "
        f"Compiled by {memory.compiler or 'an unnamed compiler'}."
    )
    return Section("memory", "Memory map", tuple(blocks), intro)


def _kind_index(kind: str) -> int:
    return list(KINDS).index(kind) if kind in KINDS else len(KINDS)


def _ram_parts(memory: Memory) -> list[tuple[str, int]]:
    return [*memory.ram_by_use.items(), ("stack at its peak", memory.stack_peak_bytes)]


def _by_layer(memory: Memory, network: Network) -> Table:
    kinds = [kind for kind in KINDS if any(kind in layer.constants for layer in network.layers)]
    totals = barred([sum(layer.constants.values()) for layer in network.layers])
    arenas = barred([memory.arena_by_layer.get(layer.name, 0) for layer in network.layers])
    rows = tuple(
        (
            figure(number),
            Cell(layer.name),
            *(figure(layer.constants.get(kind, 0)) for kind in kinds),
            total,
            arena,
        )
        for number, (layer, total, arena) in enumerate(
            zip(network.layers, totals, arenas, strict=True), start=1
        )
    )
    columns = (
        Column("#"),
        Column("layer", figures=False),
        *(Column(KINDS[kind]) for kind in kinds),
        Column("flash"),
        Column("RAM of activations", hint="its input and output; other layers share it"),
    )
    sums = [sum(layer.constants.get(kind, 0) for layer in network.layers) for kind in kinds]
    total = (Cell(""), Cell("all"), *map(figure, sums), figure(sum(sums)))
    activations = Cell(f"{network.arena_bytes:,}", network.arena_bytes)
    return Table("Bytes by layer", columns, rows, (*total, activations))


def _symbols(memory: Memory) -> Iterator[Table]:
    for caption, sizes in (
        ("Largest functions and arrays besides the model's", memory.flash_by_symbol),
        ("Variables", memory.ram_by_symbol),
    ):
        ordered = sorted(sizes.items(), key=lambda item: -item[1])
        cells = barred([size for _, size in ordered])
        rows = tuple((Cell(name), cell) for (name, _), cell in zip(ordered, cells, strict=True))
        if rows:
            columns = (Column("symbol", figures=False), Column("bytes"))
            yield Table(caption, columns, rows, folded=True)


def _over_time(report: Document) -> Section:
    streams = report.target.engine == "stream"
    intro = (
        "Between two layers lies a line, the newest steps that its readers need. Most are kept "
        "from one step of the input to the next; those that are empty in between lie over others."
        if streams
        else "All tensors lie in one arena; one whose readers are done makes room for the next."
    )
    title = "Lines of the stream" if streams else "The arena"
    chart = arena_map(report.network, f"{title}, {report.network.arena_bytes:,} bytes")
    return Section("ram-over-time", "RAM over time", (chart,), intro)


def _predictions(report: Document, predicted: Predicted) -> Section:
    rows = tuple(
        (
            Cell(name),
            figure(foretold),
            figure(measured),
            Cell(UNKNOWN, tone="muted")
            if None in (foretold, measured)
            else _excess_cell(*pair, bound=bound),
        )
        for name, foretold, measured, bound in _pairs(report, predicted)
        for pair in [(foretold or 0, measured or 0)]
        if foretold is not None or measured is not None
    )
    columns = (
        Column("", figures=False),
        Column("predicted"),
        Column("measured"),
        Column("measured over predicted"),
    )
    intro = "Predicted from the network and the board alone, before any compiler ran."
    table = Table("The whole firmware", columns, rows)
    return Section("predicted", "Predicted and measured", (table,), intro)


def _pairs(
    report: Document, predicted: Predicted
) -> Iterator[tuple[str, int | None, int | None, bool]]:
    """Yield what was foretold, its prediction, its measurement, and whether that is a bound."""
    memory, latency = report.memory, report.latency
    if memory is not None:
        yield "flash, bytes", predicted.flash_bytes, memory.flash_bytes, False
        yield "static RAM, bytes", predicted.static_ram_bytes, memory.static_ram_bytes, False
        yield "stack, bytes (a bound)", predicted.stack_bytes, memory.stack_peak_bytes, True
    if latency is None:
        return
    estimate = latency.cycles_estimate
    if latency.unit == "instructions":
        yield "instructions", predicted.instructions, latency.least_per_segment, False
        if estimate is not None:
            yield "cycles (measured: estimated)", predicted.cycles, estimate.total, False
    if latency.unit == "cycles":
        yield "cycles", predicted.cycles, latency.least_per_segment, False


def _excess_cell(foretold: int, measured: int, *, bound: bool) -> Cell:
    off = measured / max(foretold, 1) - 1
    if bound:
        return Cell("within", off, tone="good") if off <= 0 else Cell("above it", off, tone="bad")
    return Cell(change(foretold, measured), off)


def per_inference(latency: Latency) -> tuple[str, str]:
    """Return the latency as a tile shows it: digits and unit."""
    digits, prefix = short(latency.per_segment)
    return digits, f"{prefix} {latency.unit}".strip()
