"""Read the records and labels of the CinC 2017 challenge, and the published split of them.

8528 single-lead recordings of 9 to 61 s at 300 Hz, 1000 ADC units per mV, each labelled with its
rhythm (Clifford et al. 2017). Records of 30 s are used, cut to 8960 samples.
"""

import csv
import random
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray

from dynadeep.codegen.errors import RecordingError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.progress import each
from dynadeep.codegen.wfdb_record import require_file
from dynadeep.train.data import problems, wfdb_files
from dynadeep.train.data.problems import OnBad, Problem
from dynadeep.train.data.wfdb_files import Recording, Samples
from dynadeep.train.errors import DataError

SAMPLE_FOLDER = Path(__file__).parent / "cinc2017_sample"
CALIBRATION_FOLDER = Path(__file__).parent / "cinc2017_train"
REFERENCE = "REFERENCE-v3.csv"
ARCHIVE = "training2017.zip"
DESCRIPTION = "CinC 2017 challenge 1.0.0, training records, REFERENCE-v3, 8960 samples at 300 Hz"
RATE_HZ = 300
UNITS_PER_MV = 1000
CLASSES = ("A", "N", "O", "~")
"""Atrial fibrillation, normal, other rhythm, noise: the labels, in the order of their numbers."""
STEP_SAMPLES = 256
"""The rhythm is classified once for this many samples."""
RECORD_SAMPLES = 35 * STEP_SAMPLES
"""The length of the records that the published split keeps: 8960."""
SEGMENT_SAMPLES = 2000
SEGMENTS = 5
"""Segments of a record; the last 1040 samples of the fifth repeat the record's last."""
MEAN, STD = 6.74482, 237.85260
"""Of the 5403 published training records, train and hold-out, in ADC units."""

_SEED = 2018
_RECORD_LINE = re.compile(r"\S+ 1 (\d+) (\d+)(?: .*)?")
_SIGNAL_LINE = re.compile(r"(\S+\.mat) 16\+24 1000/mV 16 0 -?\d+ -?\d+ 0 \S+ *")
_MAT_HEADER_BYTES = 24


@dataclass(frozen=True)
class Record:
    """A recording: ADC samples, int16 [T], and its label, one of CLASSES."""

    name: str
    label: str
    samples: Samples


@dataclass(frozen=True)
class Parts:
    """How a database's rows, once shuffled, are parted: the test's first, the hold-out's last."""

    rows: int
    test_rows: int
    holdout_rows: int


PUBLISHED = Parts(rows=8528, test_rows=852, holdout_rows=1294)
"""602 records of 8960 samples are among the first 852, and exactly 900 among the last 1294."""
SAMPLE = Parts(rows=24, test_rows=8, holdout_rows=8)
"""The committed excerpt parted in three, to run code on. All its records are published test ones:
nothing that is trained on it can be reported."""


@dataclass(frozen=True)
class Split:
    """The records of 8960 samples in shuffled order, and ``extra``: others that may be trained on.

    ``test`` and ``train`` with ``holdout`` are the published 602 and 5403. Whatever is chosen by
    looking is chosen on ``holdout``; ``test`` is only ever reported. ``problems`` are the records
    that were left out.
    """

    train: tuple[Record, ...]
    holdout: tuple[Record, ...]
    test: tuple[Record, ...]
    extra: tuple[Record, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def fitted(self) -> tuple[Record, ...]:
        """What heads are fitted on: nine tenths of ``train``."""
        return self.train[: -self._watched]

    @property
    def watched(self) -> tuple[Record, ...]:
        """What stops the heads' training and shapes their margins: the last tenth of ``train``."""
        return self.train[-self._watched :]

    @property
    def _watched(self) -> int:
        return -(-len(self.train) // 10)


def find_folder(data: Path | None = None) -> Path:
    """Return the folder with the records: ``data`` or $DYNADEEP_DATA, or ``cinc2017`` inside it."""
    return wfdb_files.find_folder(data, "cinc2017", "CinC 2017")


def download(data: Path) -> Path:
    """Fetch the labels and the training records (95 MB) into ``data``/cinc2017; return that folder.

    Raises DataError if PhysioNet cannot be reached or sends something else.
    """
    folder = data / "cinc2017"
    return wfdb_files.fetch(folder, "CinC 2017", lambda: _fetch_archive(folder))


def read_records(
    folder: Path, *, on_bad: OnBad = "refuse"
) -> tuple[tuple[Record, ...], tuple[Problem, ...]]:
    """Read all records of a folder, by name, and say which cannot be used.

    Raises DataError without a REFERENCE-v3.csv, and for unusable records unless they are skipped.
    """
    rows = read_reference(folder)
    read = [_read_row(folder, *row) for row in each("reading CinC 2017", rows)]
    bad = problems.settle(
        [r for r in read if isinstance(r, Problem)], on_bad=on_bad, records=len(rows)
    )
    return tuple(r for r in read if isinstance(r, Record)), bad


def read_split(folder: Path, *, parts: Parts = PUBLISHED, on_bad: OnBad = "refuse") -> Split:
    """Read all records and part them as published, the training part once more into a hold-out.

    A record's side hangs on its row alone, so that skipping others never moves it.
    Raises DataError without a REFERENCE-v3.csv, if it has other rows than the database, and for
    unusable records unless ``on_bad`` is "skip".
    """
    rows = read_reference(folder)
    if len(rows) != parts.rows:
        raise DataError(
            f"{folder}: {len(rows)} records, the split is of {parts.rows}. "
            "Is the copy of the database complete?"
        )
    random.Random(_SEED).shuffle(rows)
    sides: dict[str, list[Record]] = {"test": [], "holdout": [], "train": [], "extra": []}
    bad: list[Problem] = []
    for index, (name, label) in enumerate(each("reading CinC 2017", rows)):
        read = _read_row(folder, name, label)
        if isinstance(read, Problem):
            bad.append(read)
        elif side := _side_of(index, len(read.samples), parts):
            sides[side].append(read)
    bad += _part_copies(sides)
    bad_records = problems.settle(bad, on_bad=on_bad, records=len(rows))
    return Split(**{side: tuple(of) for side, of in sides.items()}, problems=bad_records)


def read_reference(folder: Path) -> list[tuple[str, str]]:
    """Return the rows (name, label) of REFERENCE-v3.csv by name; records without one get "".

    Raises DataError if the file is missing, which the split is made of, or is not text.
    """
    path = folder / REFERENCE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DataError(
            f"{path}: missing, and older REFERENCE files have other labels. "
            "Fetch it from https://physionet.org/content/challenge-2017/1.0.0/."
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise DataError(f"{path}: cannot be read ({problem}).") from problem
    rows = [(row[0], row[1].strip() if len(row) > 1 else "") for row in csv.reader(lines) if row]
    unnamed = {header.stem for header in folder.glob("A*.hea")} - {name for name, _ in rows}
    return sorted([*rows, *((name, "") for name in unnamed)])


def cut(records: Sequence[Record]) -> Samples:
    """Stack the first 8960 samples of each record, int16 [N, 8960].

    Raises DataError for a shorter record.
    """
    for record in records:
        if len(record.samples) < RECORD_SAMPLES:
            length = f"{record.name}: {len(record.samples)} samples"
            raise DataError(f"{length}, a cut record has {RECORD_SAMPLES}. Take it as it is.")
    cuts = [record.samples[:RECORD_SAMPLES] for record in records]
    return np.stack(cuts) if cuts else np.empty((0, RECORD_SAMPLES), np.int16)


def labels(records: Sequence[Record]) -> NDArray[np.int64]:
    """Return the number of each record's class in CLASSES, int64 [N]."""
    return np.array([CLASSES.index(record.label) for record in records], np.int64)


def segments(adc: Samples) -> Samples:
    """Cut records [N, T <= 10000] into segments [N, 5, 2000], the last sample repeated to fill."""
    missing = SEGMENTS * SEGMENT_SAMPLES - adc.shape[1]
    padded = np.pad(adc, ((0, 0), (0, missing)), mode="edge")
    return padded.reshape(-1, SEGMENTS, SEGMENT_SAMPLES)


def _read_row(folder: Path, name: str, label: str) -> Record | Problem:
    """Read one record, or say what is wrong with it."""
    if not label:
        return Problem(name, "label", f"no label in {REFERENCE}")
    if label not in CLASSES:
        return Problem(name, "label", f"label {label!r} is none of {', '.join(CLASSES)}")
    path = folder / name
    try:
        recording = _read_plain(path) or wfdb_files.read_recording(path)
    except DataError as problem:
        return Problem(name, "unreadable", str(problem).rstrip("."))
    bad = problems.find_problem(
        name, recording, rate_hz=RATE_HZ, units_per_mv=UNITS_PER_MV, shortest=STEP_SAMPLES
    )
    return bad or Record(name, label, recording.samples)


def _read_plain(path: Path) -> Recording | None:
    """Read a record that has the form of all 8528, None if it has another or is damaged.

    wfdb takes minutes for all of them, nearly all of it to parse the headers.
    """
    try:
        require_file(path.with_suffix(".hea"))  # a pipe would be waited for
        lines = path.with_suffix(".hea").read_text(encoding="ascii").splitlines()
        matches = [p.fullmatch(x) for p, x in zip((_RECORD_LINE, _SIGNAL_LINE), lines, strict=True)]
        record, signal = matches
        if record is None or signal is None:
            return None
        require_file(path.with_name(signal[1]))
        samples = np.fromfile(path.with_name(signal[1]), "<i2", offset=_MAT_HEADER_BYTES)
    except (OSError, ValueError, RecordingError):
        return None
    if len(samples) != int(record[2]):
        return None
    return Recording(samples.astype(np.int16, copy=False), int(record[1]), UNITS_PER_MV, 0)


def _side_of(index: int, length: int, parts: Parts) -> str | None:
    """Return the side of the row at a place in the shuffled order, None for none."""
    fits = length // STEP_SAMPLES * STEP_SAMPLES == RECORD_SAMPLES
    if index < parts.test_rows:
        return "test" if fits else None
    if not fits:
        return "extra"
    return "holdout" if index >= parts.rows - parts.holdout_rows else "train"


def _part_copies(sides: dict[str, list[Record]]) -> Iterator[Problem]:
    """Take out of ``sides`` what is also on a side further from training, and name it.

    A00227 and A01176 are one recording, and so are A02656 and A03123; both pairs are trained on.
    """
    first_with: dict[bytes, tuple[str, str]] = {}
    for side, records in sides.items():
        unique = []
        for record in records:
            start = record.samples[:RECORD_SAMPLES].tobytes()
            name, first_side = first_with.setdefault(start, (record.name, side))
            if side == first_side or (first_side, side) == ("train", "extra"):
                unique.append(record)
            else:
                yield Problem(
                    record.name, "duplicate", f"the same samples as {name} of {first_side}"
                )
        records[:] = unique


def _fetch_archive(folder: Path) -> None:
    """Download what the split is made of and unpack the records, flat, into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        wfdb.dl_files("challenge-2017", temporary, [ARCHIVE, REFERENCE])
        try:
            _unpack(Path(temporary) / ARCHIVE, folder)
        except zipfile.BadZipFile as problem:
            raise OSError(f"{ARCHIVE}: {problem}") from problem
        write_whole(folder / REFERENCE, (Path(temporary) / REFERENCE).read_bytes())


def _unpack(archive: Path, folder: Path) -> None:
    """Write the archive's records into the folder, whatever folders it has itself."""
    with zipfile.ZipFile(archive) as packed:
        for member in packed.namelist():
            name = member.rpartition("/")[2]
            if re.fullmatch(r"A\d{5}\.(hea|mat)", name):
                write_whole(folder / name, packed.read(member))
