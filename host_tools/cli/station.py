"""What each command that talks to a board does first: find or make its firmware, read the ECG."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynadeep.codegen.bundle import Bundle, Manifest
    from dynadeep.codegen.planner import Wanted
    from dynadeep.host_tools.pipeline import Station
    from dynadeep.host_tools.recordings.record import Record


@contextmanager
def open_station(
    bundle: "Bundle",
    board: str,
    port: str | None,
    sources: Path | None,
    wanted: "Wanted | None" = None,
) -> "Iterator[Station]":
    """Yield a greeted board: the one at ``port``, or one that is emulated here.

    Without a port the firmware is built from ``sources`` as they are, or generated from the bundle.
    """
    from dynadeep.codegen.planner import PLANNERS_CHOICE
    from dynadeep.host_tools import pipeline, toolchain

    wanted = wanted or PLANNERS_CHOICE

    if sources is not None:
        elf = toolchain.build(sources).elf
    elif port is None:
        elf = pipeline.make_firmware(bundle, board, wanted=wanted).elf
    else:
        elf = None
    with pipeline.connect(bundle, board, port=port, elf=elf, wanted=wanted) as station:
        yield station


def read_records(manifest: "Manifest", ecg: list[Path] | None, segments: int) -> "list[Record]":
    """Return the user's recordings, or the start of each of the shipped excerpt's."""
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.recordings.excerpt import sample_records
    from dynadeep.host_tools.recordings.read import read_record

    with heavy("train"):
        if ecg:
            return [read_record(path, manifest) for path in ecg]
        return sample_records(manifest, segments=segments)
