"""What each command that talks to a board does first: find or make its firmware, read the ECG."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dynadeep.host_tools.cli.options import refuse_with, refuse_without

if TYPE_CHECKING:
    from dynadeep.codegen.bundle import Bundle, Manifest
    from dynadeep.codegen.planner import Wanted
    from dynadeep.host_tools.pipeline import Station
    from dynadeep.host_tools.place import Place
    from dynadeep.host_tools.recordings.convert import Stated
    from dynadeep.host_tools.recordings.record import Record

WARNING = "warning:"


def place_of(
    board: str | None,
    port: str | None,
    baud: int | None,
    sources: Path | None,
    choices: Mapping[str, object] | None = None,
) -> "Place":
    """Return where the board is, with every option that would be ignored refused.

    Args:
        board: its name, if the user gave it.
        port: where it is; None runs the firmware on this computer.
        baud: of the port.
        sources: a generated project.
        choices: the options that decide how a project is generated, and their values.

    Raises:
        typer.BadParameter: an option has no meaning beside another.
    """
    from dynadeep.host_tools.boards import AUTO
    from dynadeep.host_tools.place import Place

    if port is None and board != AUTO:
        refuse_without("--port", {"--baud": baud}, "an emulator has no baud rate")
    if port is not None or board == AUTO:  # engine and kernels are held against what the board says
        deadline = {"--deadline": (choices or {}).get("--deadline")}
        refuse_with("--port", deadline, "the firmware there was planned already")
    if sources is not None:
        why = "the project was generated already, and is built as it is"
        refuse_with("--sources", choices or {}, why)
    return Place(board, port, baud, sources)


@contextmanager
def open_station(
    bundle: "Bundle", place: "Place", wanted: "Wanted | None" = None
) -> "Iterator[Station]":
    """Yield a greeted board: the one at the place's port, or one that is emulated here.

    Without a port the firmware is built from the place's sources as they are, or generated from
    the bundle.
    """
    from dynadeep.codegen.planner import PLANNERS_CHOICE
    from dynadeep.host_tools import pipeline
    from dynadeep.host_tools.place import generated_with

    wanted = wanted or PLANNERS_CHOICE
    named = place.named(bundle.manifest.model_id)
    if named.sources is not None:
        wanted = generated_with(named.sources)
    elf = build_firmware(bundle, named, wanted)
    with pipeline.connect(
        bundle, named.board, port=named.port, baud=named.baud, elf=elf, wanted=wanted
    ) as station:
        yield station


def build_firmware(
    bundle: "Bundle | None", place: "Place", wanted: "Wanted | None" = None
) -> Path | None:
    """Build what a place's board runs: its sources as they are, or what the bundle gives.

    Returns:
        The ELF file; None for a board at a port whose sources are not known.
    """
    from dynadeep.codegen.planner import PLANNERS_CHOICE
    from dynadeep.host_tools import pipeline, toolchain
    from dynadeep.host_tools.cli.progress import step

    if place.sources is None and place.port is not None:
        return None
    with step("building the firmware"):
        if place.sources is not None:
            return toolchain.build(place.sources).elf
        assert bundle is not None
        assert place.board is not None
        return pipeline.make_firmware(bundle, place.board, wanted=wanted or PLANNERS_CHOICE).elf


def stated_of(ecg: Sequence[Path] | None, **stated: Any) -> "Stated":
    """Return what the user says of recordings, refused if none was named.

    Raises:
        typer.BadParameter: an option has no meaning without --ecg.
        EcgError: the options contradict each other.
    """
    from dynadeep.host_tools.recordings.convert import Stated

    if not ecg:
        options = {f"--{name.removesuffix('_hz')}": value for name, value in stated.items()}
        refuse_without("--ecg", options, "it says what a recording of yours holds")
    return Stated(**stated)


def read_recordings(manifest: "Manifest", ecg: Sequence[Path], stated: "Stated") -> "list[Record]":
    """Return the user's recordings in the model's ADC units, having said what was done to each."""
    from dynadeep.host_tools.recordings.read import read_record

    records = [read_record(path, manifest, stated) for path in ecg]
    for record in records:
        warnings = [one for one in record.remarks if one.startswith(WARNING)]
        plain = [one for one in record.remarks if one not in warnings]
        typer.echo(f"{record.name}: {'; '.join(plain)}", err=True)
        for one in warnings:
            typer.echo(f"{WARNING} {record.name}: {one.removeprefix(WARNING).strip()}", err=True)
    return records


def excerpt(manifest: "Manifest", segments: int) -> "list[Record]":
    """Return the start of each recording of the shipped excerpt."""
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.study.excerpt import sample_records

    with heavy("train"):
        return sample_records(manifest, segments=segments)
