"""Where results go: tables on standard output, the same in files or instead of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynadeep.codegen.files import write_whole
from dynadeep.host_tools.cli.options import STDOUT

if TYPE_CHECKING:
    from rich.console import Console


def console_beside(json: Path | None) -> "Console":
    """Return the console for people: standard error where standard output is the JSON's."""
    from dynadeep.host_tools.measure import summary

    return summary.make_console(stderr=json == STDOUT)


def print_lines(json: Path | None, *lines: str) -> None:
    """Print plain lines for people; see ``console_beside``."""
    from dynadeep.host_tools.measure import summary

    summary.print_lines(console_beside(json), lines)


def copy_json(json: Path | None, source: Path) -> None:
    """Write a JSON file that was just made to where the user wants it too; see ``write_json``."""
    if json == STDOUT:
        print(source.read_text(encoding="utf-8"), end="")
    elif json is not None:
        write_whole(json, source.read_bytes())


def write_json(json: Path | None, content: dict[str, Any]) -> None:
    """Write a result as JSON, to a file or, for ``-``, to standard output; None writes nothing."""
    from dynadeep.host_tools.measure import report

    if json == STDOUT:
        print(report.text_of(content), end="")
    elif json is not None:
        report.write_report(json, content)
