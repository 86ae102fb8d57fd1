"""dynadeep archive."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dynadeep.host_tools.cli.options import JsonOption
from dynadeep.host_tools.cli.refusals import refuse_without

if TYPE_CHECKING:
    from dynadeep.host_tools.cloud.summary import DaySummary


HEADINGS = (
    *("device", "day", "segments", "levels", "bytes", "byte CG", "gaps", "lost", "restarts"),
    *("unknown", "bad"),
)


def archive(
    *,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The archive.")],
    bundles: Annotated[
        Path | None,
        typer.Option("--bundles", help="Bundles of its models: then the byte CG is known."),
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="One device alone.")] = None,
    flush: Annotated[
        bool,
        typer.Option(
            "--flush", help="First write what a collector that was killed has left as Parquet."
        ),
    ] = False,
    json: JsonOption = None,
) -> None:
    """Show what an archive holds, by device and day: segments, levels, bytes, byte CG, gaps.

    The exit status is 17 if a file in it is damaged or none of an archive's.
    """
    from dynadeep.codegen.progress import step
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.cloud.extra import require

    require("pyarrow")
    from dynadeep.host_tools.cloud.bundles import find_bundles
    from dynadeep.host_tools.cloud.collector import Collector
    from dynadeep.host_tools.cloud.journal import NAME, waiting_in
    from dynadeep.host_tools.cloud.summary import Total, summarise
    from dynadeep.host_tools.errors import ArchiveError

    if bundles is None:
        refuse_without("--bundles", {"--flush": flush}, "it says how long segments are")
    by_number = {} if bundles is None else find_bundles(bundles)
    models = {number: bundle.manifest for number, bundle in by_number.items()}
    if flush and (folder / NAME).is_file():
        with step("writing what waits"), Collector(folder, models) as collector:
            for _ in collector.flush():
                pass
    refused: list[ArchiveError] = []
    total, shown = Total(), []
    with step("reading the archive"):
        for day in summarise(folder, models, device=device, on_refused=refused.append):
            total.add(day)
            shown.append(day)
    if device is not None and not shown:
        raise ArchiveError(
            f"{folder}: holds nothing of device {device}. Without --device all of them are shown."
        )
    waiting = waiting_in(folder)
    print_lines(json, *_table(shown))
    counts = {"days": total.days, **total.counts, "refused": len(refused), "waiting": waiting}
    print_lines(json, ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in counts.items()))
    if waiting:
        print_lines(json, f"{waiting:,} rows are on the disk and not in Parquet yet: see --flush")
    write_json(json, {"days": [day.as_json() for day in shown], "total": counts})
    if refused:
        raise ArchiveError(f"{len(refused)} refused in {folder}, the first: {refused[0]}")


def _table(days: "list[DaySummary]") -> list[str]:
    """Return a line a day, and the heading."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    for day in days:
        levels = " ".join(f"{level}:{count}" for level, count in day.levels.items())
        gain = "" if day.byte_cg is None else f"{day.byte_cg:.2f}"
        counts = (day.gaps, day.lost, day.restarts, day.unknown_models, day.bad_packets)
        start = (day.device, day.day.isoformat(), f"{day.segments:,}", levels, f"{day.bytes:,}")
        rows.append((*start, gain, *map(str, counts)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    left = {0, 1, 3}
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
