"""What a codec's stream adds to the report of its board, as JSON and as a table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.codec.stream import StreamResult
from dynadeep.host_tools.measure import summary
from dynadeep.host_tools.measure.report import Report


@dataclass(frozen=True)
class CodecReport:
    """All results of one board with one codec."""

    board: Report
    stream: StreamResult  # at the bound asked for, or the model's default
    bounds: tuple[StreamResult, ...]  # the same segments at several bounds
    records: int


def stream_json(stream: StreamResult) -> dict[str, Any]:
    """Return one stream."""
    return asdict(stream)


def print_report(console: Console, report: CodecReport) -> None:
    """Print the whole summary of a demo."""
    summary.print_measured(console, report.board)
    print_stream(console, report.bounds, report.board.manifest, report.records)
    summary.print_limits(console, report.board)


def print_stream(
    console: Console, results: Sequence[StreamResult], manifest: Manifest, records: int
) -> None:
    """Print the compressed stream, one line a bound."""
    segments = results[0].segments
    table = summary.new_table(
        f"Stream: {segments} segments of {records} recordings, decoded",
        f"bound ({manifest.error_unit})",
        "none",
        *(level.name for level in manifest.levels),
        "mean CG (published)",
        "byte CG",
        "PRD %",
        "PRDN %",
        "over the bound",
    )
    for result in results:
        table.add_row(
            f"{result.bound:g}",
            *(str(count) for count in result.levels.values()),
            f"{result.mean_cg:.2f}",
            f"{result.byte_cg:.2f}",
            f"{result.prd:.2f}",
            f"{result.prdn:.2f}",
            "-" if result.violations is None else f"{result.violations:.1%}",
        )
    summary.print_table(console, table)
