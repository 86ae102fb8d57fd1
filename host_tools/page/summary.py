"""What a report's figures are held against, for a terminal: predictions, and an earlier report."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dynadeep.host_tools.measure.summary import new_table, print_lines, print_table
from dynadeep.host_tools.page.compare import Comparison, grown, number
from dynadeep.host_tools.page.document import Document, Predicted
from dynadeep.host_tools.page.text import one_line


def predicted_table(report: Document, predicted: Predicted) -> Table:
    """Return what was foretold before anything was built, beside what was found.

    Layers of the run that cycles are estimated of: their kernels alone.
    """
    table = new_table("Predicted and found", "", "predicted", "found", "found over predicted")
    for name, before, after in _pairs(report, predicted):
        excess = f"{after / before - 1:+.1%}" if before else "-"
        table.add_row(escape(name), f"{before or 0:,}", f"{after:,}", excess)
    return table


def _pairs(report: Document, predicted: Predicted) -> Iterator[tuple[str, int | None, int]]:
    """Yield each figure's name, its prediction, and what was found."""
    memory = report.memory
    if memory is not None:
        yield "flash, bytes", predicted.flash_bytes, memory.flash_bytes
        yield "static RAM, bytes", predicted.static_ram_bytes, memory.static_ram_bytes
        yield "stack, bytes (a bound)", predicted.stack_bytes, memory.stack_peak_bytes
    estimate = None if report.latency is None else report.latency.cycles_estimate
    if estimate is None:
        return
    yield "instructions", predicted.instructions, estimate.instructions
    yield "cycles (est.)", predicted.cycles, estimate.total
    for name, count in estimate.instructions_by_layer.items():
        yield f"{name}: instructions", predicted.instructions_by_layer[name], count
        yield f"{name}: cycles (est.)", predicted.cycles_by_layer[name], estimate.layers[name]


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print each figure that changed, and what else is another one."""
    unchanged = comparison.compared - len(comparison.changes)
    console.print(
        f"[bold]Compared[/] {comparison.compared} figures with "
        f"{escape(one_line(comparison.old))}, {unchanged} of them unchanged",
        soft_wrap=True,
    )
    print_lines(console, [f"  {note}" for note in comparison.notes])
    if not comparison.changes:
        return
    table = new_table("", "figure", "before", "now", "change", "")
    for change in comparison.changes:
        worse = change.worse(comparison.tolerance)
        mark = "[red]WORSE[/]" if worse else "" if change.figure.held else "shown only"
        figures = (number(change.before), number(change.figure.value), grown(change))
        table.add_row(escape(one_line(change.figure.name)), *figures, mark)
    print_table(console, table)
