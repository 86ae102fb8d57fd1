"""What each command that talks to a board does first: find or make its firmware, read the ECG."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dynadeep.host_tools.cli.options import (
    BaselineOption,
    BaudOption,
    BoardOption,
    ChannelOption,
    EcgOption,
    GainOption,
    PortOption,
    RateOption,
    ResampleOption,
    SourcesOption,
    UnitOption,
)
from dynadeep.host_tools.cli.refusals import refuse_with, refuse_without

if TYPE_CHECKING:
    from dynadeep.codegen.bundle import Bundle, Manifest
    from dynadeep.codegen.planner import PlanSettings
    from dynadeep.host_tools.pipeline import Station
    from dynadeep.host_tools.place import Place
    from dynadeep.host_tools.recordings.convert import Stated
    from dynadeep.host_tools.recordings.record import Record

WARNING = "warning:"


def place_of(
    *,
    board: BoardOption = None,
    port: PortOption = None,
    baud: BaudOption = None,
    sources: SourcesOption = None,
) -> "Place":
    """Take where the board is, with every option that would be ignored refused.

    Raises:
        typer.BadParameter: an option has no meaning beside another.
    """
    from dynadeep.host_tools.boards import AUTO
    from dynadeep.host_tools.place import Place

    if port is None and board != AUTO:
        refuse_without("--port", {"--baud": baud}, "an emulator has no baud rate")
    return Place(board, port, baud, sources)


def refuse_choices(place: "Place", choices: Mapping[str, object]) -> None:
    """Refuse options that decide how a project is generated, where none is.

    Raises:
        typer.BadParameter: one of ``choices`` was given.
    """
    from dynadeep.host_tools.boards import AUTO

    if place.port is not None or place.board == AUTO:  # the others are held against what it says
        deadline = {"--deadline": choices.get("--deadline")}
        refuse_with("--port", deadline, "the firmware there was planned already")
    if place.sources is not None:
        why = "the project was generated already, and is built as it is"
        refuse_with("--sources", choices, why)


@contextmanager
def open_station(
    bundle: "Bundle", place: "Place", settings: "PlanSettings | None" = None
) -> "Iterator[Station]":
    """Yield a greeted board: the one at the place's port, or one that is emulated here.

    Without a port the firmware is built from the place's sources as they are, or generated from
    the bundle.
    """
    from dynadeep.codegen.planner import PLANNERS_CHOICE
    from dynadeep.host_tools import pipeline
    from dynadeep.host_tools.place import generated_with

    settings = settings or PLANNERS_CHOICE
    named = place.named(bundle.manifest.model_id)
    if named.sources is not None:
        settings = generated_with(named.sources)
    elf = build_firmware(bundle, named, settings)
    with pipeline.connect(
        bundle, named.board, port=named.port, baud=named.baud, elf=elf, settings=settings
    ) as station:
        yield station


def build_firmware(
    bundle: "Bundle | None", place: "Place", settings: "PlanSettings | None" = None
) -> Path | None:
    """Build what a place's board runs: its sources as they are, or what the bundle gives.

    Returns:
        The ELF file; None for a board at a port whose sources are not known.
    """
    from dynadeep.codegen.planner import PLANNERS_CHOICE
    from dynadeep.codegen.progress import step
    from dynadeep.host_tools import pipeline, toolchain

    if place.sources is None and place.port is not None:
        return None
    with step("building the firmware"):
        if place.sources is not None:
            return toolchain.build(place.sources).elf
        assert bundle is not None
        assert place.board is not None
        return pipeline.make_firmware(bundle, place.board, settings=settings or PLANNERS_CHOICE).elf


@dataclass(frozen=True)
class Recordings:
    """The user's own recordings, and what the user says of them."""

    paths: tuple[Path, ...]
    stated: "Stated"

    def __bool__(self) -> bool:
        """Whether any was named."""
        return bool(self.paths)


def recordings_of(
    *,
    ecg: EcgOption = None,
    gain: GainOption = None,
    baseline: BaselineOption = None,
    unit: UnitOption = None,
    rate: RateOption = None,
    channel: ChannelOption = None,
    resample: ResampleOption = False,
) -> Recordings:
    """Take recordings and what is said of them, refused if none was named.

    Raises:
        typer.BadParameter: an option has no meaning without --ecg.
        EcgError: the options contradict each other.
    """
    from dynadeep.host_tools.recordings.convert import Stated

    values = {
        "gain": gain,
        "baseline": baseline,
        "unit": unit,
        "rate": rate,
        "channel": channel,
        "resample": resample,
    }
    if not ecg:
        options = {f"--{name}": value for name, value in values.items()}
        refuse_without("--ecg", options, "it says what a recording of yours holds")
    stated = Stated(
        gain=gain, baseline=baseline, unit=unit, rate_hz=rate, channel=channel, resample=resample
    )
    return Recordings(tuple(ecg or ()), stated)


def records_of(manifest: "Manifest", recordings: Recordings, segments: int) -> "list[Record]":
    """Return the user's recordings, else so many segments of each of the shipped excerpt."""
    return read_recordings(manifest, recordings) if recordings else excerpt(manifest, segments)


def read_recordings(manifest: "Manifest", recordings: Recordings) -> "list[Record]":
    """Return the user's recordings in the model's ADC units, having said what was done to each."""
    from dynadeep.codegen.progress import step
    from dynadeep.host_tools.recordings.read import read_record

    with step("reading the recordings"):
        records = [read_record(path, manifest, recordings.stated) for path in recordings.paths]
    for record in records:
        warnings = [remark for remark in record.remarks if remark.startswith(WARNING)]
        plain = [remark for remark in record.remarks if remark not in warnings]
        typer.echo(f"{record.name}: {'; '.join(plain)}", err=True)
        for remark in warnings:
            typer.echo(f"{WARNING} {record.name}: {remark.removeprefix(WARNING).strip()}", err=True)
    return records


def excerpt(manifest: "Manifest", segments: int) -> "list[Record]":
    """Return the start of each recording of the shipped excerpt."""
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.study.excerpt import sample_records

    with heavy("train"):
        return sample_records(manifest, segments=segments)
