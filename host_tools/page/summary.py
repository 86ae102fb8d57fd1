"""What changed since an earlier report, for a terminal."""

from rich.console import Console
from rich.markup import escape

from dynadeep.host_tools.measure.summary import new_table, print_lines
from dynadeep.host_tools.page.compare import Comparison, grown, number
from dynadeep.host_tools.page.text import one_line


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
    for one in comparison.changes:
        worse = one.worse(comparison.tolerance)
        mark = "[red]WORSE[/]" if worse else "" if one.figure.held else "shown only"
        figures = (number(one.before), number(one.figure.value), grown(one))
        table.add_row(escape(one_line(one.figure.name)), *figures, mark)
    console.print(table)
