"""What each command that talks to a board does first: read the bundle, find its firmware."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynadeep.host_tools.ecg import Record
    from dynadeep.host_tools.pipeline import Station


@contextmanager
def open_station(
    bundle: Path, board: str, port: str | None, sources: Path | None
) -> Iterator["Station"]:
    """Yield a greeted board: the one at ``port``, or one that is emulated here.

    Without a port the firmware is built from ``sources`` as they are, or generated from the bundle.
    """
    from dynadeep.codegen.bundle import read_bundle  # noqa: PLC0415
    from dynadeep.host_tools import pipeline, toolchain  # noqa: PLC0415

    model = read_bundle(bundle)
    if sources is not None:
        elf = toolchain.build(sources).elf
    elif port is None:
        elf = pipeline.make_firmware(model, board).elf
    else:
        elf = None
    with pipeline.connect(model, board, port=port, elf=elf) as station:
        yield station


def read_records(station: "Station", ecg: list[Path] | None, segments: int) -> "list[Record]":
    """Return the user's recordings, or the start of each of the shipped excerpt's."""
    from dynadeep.host_tools.cli.stages import heavy  # noqa: PLC0415
    from dynadeep.host_tools.ecg import read_record, sample_records  # noqa: PLC0415

    with heavy("train"):
        if ecg:
            return [read_record(path, station.bundle.manifest) for path in ecg]
        return sample_records(station.bundle.manifest, segments=segments)
