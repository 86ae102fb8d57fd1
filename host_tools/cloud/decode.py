"""Decode an archive, a device's day at a time: each is written whole, so that a run can go on.

OUT/decode.json                               what was asked for; another run must ask for it too
OUT/ecg/device=DEVICE/day=YYYY-MM-DD/         ecg.parquet, or records; _decoded.json: of what
OUT/TASK/device=DEVICE/day=YYYY-MM-DD/        TASK.parquet, what a task network makes of it
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from dynadeep.codegen.files import write_folder_whole, write_whole
from dynadeep.codegen.typed import Reader
from dynadeep.host_tools.cloud import archive
from dynadeep.host_tools.cloud.archive import Day, OnRefused
from dynadeep.host_tools.cloud.decoded import ParquetOutput
from dynadeep.host_tools.cloud.extra import require
from dynadeep.host_tools.cloud.models import Models
from dynadeep.host_tools.cloud.pieces import PIECE_ROWS, Piece, RowDecoder, Tally
from dynadeep.host_tools.cloud.records import RecordOutput
from dynadeep.host_tools.codec import lossless
from dynadeep.host_tools.errors import ArchiveError

Format = Literal["parquet", "wfdb", "edf", "npy"]
VERSION = 1
"""Of the output. What an older kit has written is decoded again."""

PACKAGES: dict[Format, tuple[str, ...]] = {
    "parquet": (),
    "wfdb": ("wfdb",),
    "edf": ("edfio",),
    "npy": (),
}

SETTINGS, DONE = "decode.json", "_decoded.json"
ECG = "ecg"


@dataclass(frozen=True)
class Job:
    """What is decoded, and what becomes of it; small, so that any worker can be told."""

    root: Path
    out: Path
    models: Models
    form: Format = "parquet"
    begin: datetime | None = None
    end: datetime | None = None
    task: str | None = None

    def settings(self) -> dict[str, Any]:
        """Return what another run into the same folder must have asked for."""
        return {
            "version": VERSION,
            "archive": str(self.root.resolve()),
            "format": self.form,
            "from": None if self.begin is None else self.begin.isoformat(),
            "to": None if self.end is None else self.end.isoformat(),
            "task": self.task,
        }

    def folder(self, kind: str, day: Day) -> Path:
        """Return where a day's output of a kind goes."""
        return self.out / kind / f"device={day.device}" / f"day={day.day.isoformat()}"


class Output(Protocol):
    """What takes decoded pieces, in order."""

    def take(self, piece: Piece) -> None:
        """Take the next."""

    def close(self) -> None:
        """End: no more will come."""


@dataclass(frozen=True)
class Done:
    """What ``_decoded.json`` says of a day: what it was made of, and what that gave."""

    made_of: str
    tally: Tally


def decode_day(job: Job, day: Day) -> Tally:
    """Decode a device's day and return what was found; one that is decoded is left as it is.

    What the archive holds that is none of it is left out and told, in ``refused``.

    Raises:
        ArchiveError: something else stands where the day's output goes.
        BundleError: a bundle was changed meanwhile.
        OSError: the output cannot be written.
    """
    made_of, folder = _made_of(job, day), job.folder(ECG, day)
    done = _read_done(folder)
    if done is not None and done.made_of == made_of:
        done.tally.kept = 1
        return done.tally
    tally = Tally(days=1)
    with write_folder_whole(folder) as fresh:
        _write_outputs(job, day, fresh, tally)
        tally.slow = lossless.why_slow()
        text = json.dumps(asdict(Done(made_of, tally)), indent=1)
        write_whole(fresh / DONE, text + "\n")
    return tally


def _write_outputs(job: Job, day: Day, fresh: Path, tally: Tally) -> None:
    with ExitStack() as stack:
        outputs: list[Output] = [_ecg_output(job, fresh, tally)]
        if job.task is not None:
            from dynadeep.host_tools.cloud.tasks import TaskOutput

            folder = stack.enter_context(write_folder_whole(job.folder(job.task, day)))
            outputs.append(TaskOutput(job.task, folder, job.models))
        for output in outputs:
            stack.enter_context(closing(output))
        for piece in _pieces(job, day, tally):
            for output in outputs:
                output.take(piece)


def _ecg_output(job: Job, folder: Path, tally: Tally) -> Output:
    if job.form == "parquet":
        return ParquetOutput(folder, job.models)
    return RecordOutput(job.form, folder, job.models, tally)


def _pieces(job: Job, day: Day, tally: Tally) -> Iterator[Piece]:
    """Yield a day's rows, decoded."""
    rows = archive.within(
        archive.read_day(day, on_refused=lambda error: tally.refused.append(str(error))),
        job.begin,
        job.end,
    )
    decoder = RowDecoder(job.models, tally)
    for start in range(0, len(rows), PIECE_ROWS):
        yield decoder.decode(rows.slice(start, PIECE_ROWS))


def _made_of(job: Job, day: Day) -> str:
    """Return a hash of all that a day's output depends on."""
    files: list[tuple[str, int, int]] = []
    for path in sorted(day.folder.iterdir()):
        with suppress(FileNotFoundError):  # a collector has just taken it into another
            status = path.lstat()
            files.append((path.name, status.st_size, status.st_mtime_ns))
    decoders = sorted(
        (number, model.manifest.model_id, model.decoder_sha256)
        for number, model in job.models.items()
    )
    text = repr((job.settings(), files, decoders))
    return hashlib.sha256(text.encode()).hexdigest()


def _read_done(folder: Path) -> Done | None:
    """Return what an earlier run says of a day's folder; None if there is none.

    Raises:
        ArchiveError: there is a folder, but not of ours.
    """
    if not folder.exists():
        return None
    reader = Reader(str(folder / DONE), ArchiveError, "Move it away, or name another --out.")
    return reader.read(Done, reader.json(reader.content(folder / DONE)))


def check(job: Job) -> None:
    """Refuse what cannot be done, before anything is.

    Raises:
        ArchiveError: there is no such task, or the models' ECG does not suit it.
        MissingDependencyError: a package is not installed that the output or the task needs.
    """
    require("onnxruntime", *PACKAGES[job.form])
    if job.task is not None:
        from dynadeep.host_tools.cloud.tasks import check_task

        check_task(job.task, job.models)


def begin_output(job: Job) -> None:
    """Make the output's folder, or make sure that the one there is of the same settings.

    Raises:
        ArchiveError: it holds something else.
        OSError: it cannot be written.
    """
    path = job.out / SETTINGS
    if job.out.resolve() == job.root.resolve() or job.root.resolve() in job.out.resolve().parents:
        raise ArchiveError(f"{job.out}: lies within the archive. Name a folder beside it.")
    if not path.exists():
        if job.out.is_dir() and any(not entry.name.startswith(".") for entry in job.out.iterdir()):
            raise ArchiveError(
                f"{job.out}: holds something, and no {SETTINGS} that says it was decoded. "
                "Name a new folder."
            )
        write_whole(path, json.dumps(job.settings(), indent=1) + "\n")
        return
    reader = Reader(str(path), ArchiveError, "Name another --out.")
    written = reader.json(reader.content(path))
    for name, value in job.settings().items():
        old = written.get(name) if isinstance(written, dict) else None
        if old != value:
            raise ArchiveError(
                f"{path}: what lies there was decoded with {name} {old}, asked for is {value}. "
                "Name another --out."
            )


def days_of(job: Job, devices: Sequence[str], on_refused: OnRefused) -> Iterator[Day]:
    """Yield the days to decode, of all devices or of those named.

    ``on_refused`` is told of what is no part of an archive.

    Raises:
        ArchiveError: there is no archive, or nothing in it of a device.
    """
    names: Sequence[str | None] = devices or [None]
    for device in names:
        whose = "of any device" if device is None else f"of device {device}"
        is_empty = True
        for day in archive.days(job.root, device, job.begin, job.end, on_refused=on_refused):
            is_empty = False
            yield day
        if is_empty:
            raise ArchiveError(
                f"{job.root}: holds no day {whose} in that time. "
                "'dynadeep archive' shows what it holds."
            )
