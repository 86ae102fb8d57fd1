"""Where results go: tables on standard output, the same in files or instead of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynadeep.codegen.files import write_whole
from dynadeep.host_tools.cli.options import STDOUT, refuse_same, refuse_without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from dynadeep.host_tools.page.compare import Comparison
    from dynadeep.host_tools.page.document import Document
    from dynadeep.host_tools.page.forms import Forms


def console_beside(json: Path | None) -> "Console":
    """Return the console for people: standard error where standard output is the JSON's."""
    from dynadeep.host_tools.measure import summary

    return summary.make_console(stderr=json == STDOUT)


def print_lines(json: Path | None, *lines: str) -> None:
    """Print plain lines for people; see ``console_beside``."""
    from dynadeep.host_tools.measure import summary

    summary.print_lines(console_beside(json), lines)


def write_json(json: Path | None, content: dict[str, Any]) -> None:
    """Write a result as JSON, to a file or, for ``-``, to standard output; None writes nothing."""
    from dynadeep.host_tools.measure import report

    if json == STDOUT:
        print(report.text_of(content), end="")
    elif json is not None:
        report.write_report(json, content)


def forms_of(
    *,
    json: Path | None,
    html: Path | None,
    junit: Path | None,
    markdown: Path | None,
    compare: Path | None,
    tolerance: float | None,
) -> "Forms":
    """Return what a report is to be written as, the report to compare with read already.

    Raises:
        typer.BadParameter: two options name one file, or one has no meaning without another.
        ReportError: the report to compare with cannot be used.
    """
    from dynadeep.host_tools.page.forms import Forms, Old

    refuse_same(
        {
            "--json": json,
            "--html": html,
            "--junit": junit,
            "--markdown": markdown,
            "--compare": compare,
        }
    )
    if compare is None:
        refuse_without(
            "--compare", {"--tolerance": tolerance}, "it says how much worse is too much"
        )
    old = None if compare is None else Old.read(compare, tolerance)
    return Forms(html, junit, markdown, old)


def write_forms(
    json: Path | None, forms: "Forms", reports: "Sequence[Document]"
) -> "list[Comparison]":
    """Write reports in every form that was asked for, and print what changed.

    Returns:
        What ``require_kept`` is to be asked about when all else was said.
    """
    from dynadeep.host_tools.measure import summary
    from dynadeep.host_tools.page.store import json_text
    from dynadeep.host_tools.page.summary import print_comparison

    if json == STDOUT:
        print(json_text(reports), end="")
    elif json is not None:
        write_whole(json, json_text(reports))
    comparisons = forms.write(reports)
    console = summary.make_console(stderr=json == STDOUT)
    for one in comparisons:
        print_comparison(console, one)
    return comparisons
