"""dynadeep decode."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dynadeep.host_tools.cli.options import DEFAULT_BUNDLE, JsonOption, check_writable
from dynadeep.host_tools.cli.refusals import refuse_same, refuse_twice, refuse_with, refuse_without

if TYPE_CHECKING:
    from dynadeep.host_tools.cloud.archive import Day
    from dynadeep.host_tools.cloud.decode import Job
    from dynadeep.host_tools.cloud.pieces import Tally

ARCHIVE_PANEL = "Of an archive"
Engine = Literal["local", "ray"]
Form = Literal["parquet", "wfdb", "edf", "npy"]


@dataclass(frozen=True)
class Runner:
    """What decodes the days of an archive."""

    engine: Engine
    workers: int
    address: str | None

    def run(self, job: "Job", days: "list[Day]") -> "Iterator[Tally]":
        """Yield each day's tally as it is done."""
        from dynadeep.host_tools.cloud import engines

        if self.engine == "ray":
            return engines.run_ray(job, days, self.workers, self.address)
        return engines.run_local(job, days, max(1, min(self.workers, len(days))))


def check_time(value: str | None) -> str | None:
    """Refuse what is no time.

    Raises:
        typer.BadParameter: ``value`` is not one of ISO 8601.
    """
    if value is not None:
        _time(value)
    return value


def decode(
    *,
    packets: Annotated[
        Path | None, typer.Argument(help="File of packets, as 'stream --packets' writes.")
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="Of a file of packets: ECG in ADC units, NaN where it was lost: .npy, .npz, .csv "
            "or .txt. Of an archive: a folder.",
        ),
    ],
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle", help=f"The bundle whose decoder is used.  [default: {DEFAULT_BUNDLE}]"
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--archive",
            help="Decode an archive instead, as 'collect' writes it.",
            rich_help_panel=ARCHIVE_PANEL,
        ),
    ] = None,
    bundles: Annotated[
        Path | None,
        typer.Option(
            "--bundles",
            help="Folder of bundles, one for each model in the archive.",
            rich_help_panel=ARCHIVE_PANEL,
        ),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            callback=check_time,
            help="Segments that begin at this time or later: 2026-11-26, 2026-11-26T08:00; UTC.",
            rich_help_panel=ARCHIVE_PANEL,
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(
            "--to",
            callback=check_time,
            help="Segments that begin before this time.",
            rich_help_panel=ARCHIVE_PANEL,
        ),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            "--device", help="This device alone; may be repeated.", rich_help_panel=ARCHIVE_PANEL
        ),
    ] = None,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format", help="What is written; else parquet.", rich_help_panel=ARCHIVE_PANEL
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="Also run this task's network on what is decoded: rhythm or rpeaks.",
            rich_help_panel=ARCHIVE_PANEL,
        ),
    ] = None,
    engine: Annotated[
        Engine | None,
        typer.Option(
            "--engine",
            help="local: the cores of this computer (the default). ray: a cluster.",
            rich_help_panel=ARCHIVE_PANEL,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=1024,
            help="Days that are decoded at once; else as many as there are cores.",
            rich_help_panel=ARCHIVE_PANEL,
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            help="Of the Ray cluster: auto, or HOST:PORT; else Ray is started here.",
            rich_help_panel=ARCHIVE_PANEL,
        ),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Decode packets to ECG with the trained decoder: of a file, or of an archive.

    What is damaged or missing is left out, marked, and told. The exit status is 12 then; gaps of an
    archive are no failure. An archive's run that was cut off goes on where it was.
    """
    of_archive = {
        "--bundles": bundles,
        "--from": begin,
        "--to": end,
        "--device": device,
        "--format": form,
        "--task": task,
        "--engine": engine,
        "--workers": workers,
        "--address": address,
    }
    if archive is None:
        refuse_without("--archive", of_archive, "it is about an archive")
        if packets is None:
            raise typer.BadParameter("name a file of packets, or an archive with --archive.")
        check_writable(out)
        _decode_file(packets, out, bundle or DEFAULT_BUNDLE, json)
        return
    refuse_with("--archive", {"PACKETS": packets}, "both say what to decode")
    if bundles is not None:
        refuse_with("--bundles", {"--bundle": bundle}, "both say what decodes")
    if engine != "ray":
        refuse_without("--engine ray", {"--address": address}, "only Ray has one")
    refuse_twice("--device", device or [])
    first, last = _span(begin, end)
    from dynadeep.host_tools.cloud.extra import require

    require("pyarrow", *(["ray"] if engine == "ray" else []))
    from dynadeep.host_tools.cloud.decode import Job
    from dynadeep.host_tools.cloud.models import find_models

    models = find_models(bundles or bundle or DEFAULT_BUNDLE)
    job = Job(archive, out, models, form or "parquet", first, last, task)
    runner = Runner(engine or "local", workers or _cores(), address)
    _decode_archive(job, device or [], runner, json)


def _decode_file(packets: Path, out: Path, bundle: Path, json: Path | None) -> None:
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.progress import step
    from dynadeep.codegen.typed import Reader
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.codec import lossless
    from dynadeep.host_tools.codec.decode import Decoder
    from dynadeep.host_tools.codec.ecg_file import require_format, write_ecg
    from dynadeep.host_tools.codec.reception import BYTES_MAX, receive, require_whole
    from dynadeep.host_tools.errors import EcgError

    refuse_same({"PACKETS": packets, "--out": out, "--json": json})
    require_format(out)
    model = read_bundle(bundle)
    reader = Reader(str(packets), EcgError, "Name a file of packets, as 'stream' writes.")
    with step("decoding"):
        reception = receive(str(packets), reader.content(packets, BYTES_MAX), Decoder(model))
        write_ecg(out, reception)
    counts, manifest = reception.counts, model.manifest
    write_json(json, counts.as_json())
    print_lines(
        json,
        f"{out}: {counts.decoded} segments decoded, {counts.lost} lost; {reception.ecg.size} "
        f"samples in ADC units ({manifest.adc_gain:g} per mV, {manifest.adc_baseline} at 0 mV)",
        *filter(None, [lossless.why_slow()]),
    )
    require_whole(str(packets), reception)


def _decode_archive(job: "Job", devices: list[str], runner: Runner, json: Path | None) -> None:
    from dynadeep.codegen.lock import locked
    from dynadeep.codegen.progress import counted
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.cloud import decode as decoding
    from dynadeep.host_tools.cloud.pieces import Tally

    decoding.check(job)
    total = Tally()
    with locked(job.out, wait=False):
        decoding.begin_output(job)
        days = list(decoding.days_of(job, devices, lambda error: total.refused.append(str(error))))
        with counted("decoding days", len(days)) as advance:
            for tally in runner.run(job, days):
                total.add(tally)
                advance()
    write_json(json, asdict(total))
    print_lines(json, *total.lines(str(job.out)))
    total.require_whole(str(job.root))


def _span(begin: str | None, end: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the times that are asked for.

    Raises:
        typer.BadParameter: nothing lies between them.
    """
    first, last = _time(begin), _time(end)
    if first is not None and last is not None and first >= last:
        raise typer.BadParameter(
            f"--from {begin} is not before --to {end}: nothing lies between. Give a later --to."
        )
    return first, last


def _time(text: str | None) -> datetime | None:
    """Return a time of ISO 8601, UTC unless it says otherwise."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time. Give one such as 2026-11-26T08:00."
        ) from None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
