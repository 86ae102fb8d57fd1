"""Read the MIT-BIH Arrhythmia Database: channel 0 as ADC samples, windows, and both splits.

48 records of 650,000 samples at 360 Hz, 200 ADC units per mV, 1024 at 0 mV (Moody and Mark 2001).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import wfdb
from numpy.typing import NDArray

from dynadeep.train.data import wfdb_files
from dynadeep.train.data.wfdb_files import Recording, describe_invalid
from dynadeep.train.errors import DataError

SAMPLE_FOLDER = Path(__file__).parent / "mitdb_sample"
RATE_HZ = 360
WINDOW_SAMPLES = 2000
WINDOWS_PER_RECORD = 108
"""The authors take the first 108 windows of each record, the first ten minutes."""

PACED = ("102", "104", "107", "217")
"""Left out of the by-patient split, as de Chazal 2004 and the AAMI do."""

DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124",
    "201", "202", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
"""De Chazal's training half plus 202, which he tests on: 201 and 202 are one patient."""

DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "210", "212", "213",
    "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
"""De Chazal's test half without 202."""

ALL_RECORDS = tuple(sorted((*DS1, *DS2, *PACED)))

HEADERS = "[12][0-9][0-9].hea"
"""What its headers are called; CinC 2017's, which may lie beside them, begin with an A."""

BEAT_SYMBOLS = tuple("NLRBAaJSVrFejnE/fQ?")
"""The annotation codes that mark a beat (WFDB's isqrs)."""

SplitName = Literal["patient", "published"]
Samples = wfdb_files.Samples
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Windows of ADC samples, int16 [N, 2000], to train and to test on.

    ``train_records`` holds the recordings [T] that windows may be drawn from anywhere: whole ones
    by patient, else the stretches between test windows. ``test_names`` has the record that each
    test window is from. Either is empty where that is not told.
    """

    train: Samples
    test: Samples
    train_records: tuple[Samples, ...] = ()
    test_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Beats:
    """A record's annotated beats, in the order of the annotations."""

    positions: Positions  # [B], samples at 360 Hz
    symbols: tuple[str, ...]  # [B], what each beat is called in BEAT_SYMBOLS


def find_folder(data: Path | None = None) -> Path:
    """Return the folder with the records: ``data`` or $DYNADEEP_DATA, or ``mitdb`` inside it."""
    return wfdb_files.find_folder(data, "mitdb", "MIT-BIH", HEADERS)


def download(data: Path) -> Path:
    """Fetch the database from PhysioNet into ``data``/mitdb and return that folder."""
    folder = data / "mitdb"
    return wfdb_files.fetch(folder, "MIT-BIH", lambda: _fetch_database(folder))


def _fetch_database(folder: Path) -> None:
    with wfdb_files.written_whole(folder) as scratch:
        wfdb.dl_database("mitdb", scratch)


def read_record(folder: Path, name: str, *, samples: int | None = None) -> Samples:
    """Read channel 0 of a record as ADC samples, int16 [T], the first ``samples`` or all.

    Raises DataError for a record that is missing, unreadable, at another rate than 360 Hz,
    shorter than a window, or has invalid samples.
    """
    recording = wfdb_files.read_recording(folder / name, samples=samples)
    _check(recording, folder / name)
    return recording.samples


def read_beats(folder: Path, name: str) -> Positions:
    """Read where a record's beats are, int64 [B], in samples at 360 Hz, rising.

    Beats of every kind count; rhythm changes, noise marks and flutter waves do not.
    Raises DataError for annotations that are missing, unreadable or without a beat.
    """
    return np.unique(read_annotated_beats(folder, name).positions)


def read_annotated_beats(folder: Path, name: str) -> Beats:
    """Read where a record's beats are and what each is annotated as, a letter of BEAT_SYMBOLS.

    Raises what ``read_beats`` does.
    """
    path = folder / f"{name}.atr"
    if not path.is_file():
        raise DataError(f"{path}: no annotations. Is the copy of the database complete?")
    try:
        annotation: Any = wfdb.rdann(str(folder / name), "atr")
    except (OSError, ValueError, IndexError, TypeError, KeyError) as problem:
        raise DataError(f"{path}: not readable annotations ({problem}).") from problem
    symbols = np.array(annotation.symbol)
    is_beat = np.isin(symbols, BEAT_SYMBOLS)
    if not is_beat.any():
        raise DataError(f"{path}: none of its {len(is_beat)} annotations is a beat.")
    return Beats(annotation.sample[is_beat].astype(np.int64), tuple(symbols[is_beat].tolist()))


def cut_windows(
    signal: Samples, *, length: int = WINDOW_SAMPLES, count: int | None = None
) -> Samples:
    """Cut [T] into windows without overlap, [N, length]: the first ``count``, or all that fit."""
    whole = len(signal) // length
    if whole == 0:
        raise DataError(f"record has {len(signal)} samples, one segment needs {length}.")
    used = whole if count is None else min(count, whole)
    return signal[: used * length].reshape(used, length)


def read_windows(folder: Path, names: Iterable[str], *, count: int = WINDOWS_PER_RECORD) -> Samples:
    """Read the first ``count`` windows of each record, int16 [N, 2000], in the order of names."""
    return np.concatenate(_windows_of_each(folder, names, count))


def read_split(folder: Path, split: SplitName, *, seed: int = 0) -> Split:
    """Read all windows of a split.

    ``patient``: DS1 against DS2, no patient on both sides, paced records left out.
    ``published``: all 48 records, one window in five is for testing, drawn with ``seed``;
    the same patients are on both sides, so it flatters.
    """
    if split == "patient":
        records = tuple(read_record(folder, name) for name in DS1)
        train = np.concatenate([cut_windows(r, count=WINDOWS_PER_RECORD) for r in records])
        test, names = _named_windows(folder, DS2)
        return Split(train, test, records, tuple(names))
    if split == "published":
        windows, names = _named_windows(folder, ALL_RECORDS)
        order = np.random.default_rng(seed).permutation(len(windows))
        fifth = len(windows) // 5
        train_at, test_at = np.sort(order[fifth:]), np.sort(order[:fifth])
        between = tuple(windows[run].reshape(-1) for run in _runs(train_at, names))
        test_names = tuple(names[i] for i in test_at)
        return Split(windows[train_at], windows[test_at], between, test_names)
    raise DataError(f"split is {split!r}: choose one of {', '.join(get_args(SplitName))}.")


def _runs(chosen: Positions, names: Sequence[str]) -> list[Positions]:
    """Part the indices of windows, rising, where one is missing or another record begins."""
    records = np.unique(names, return_inverse=True)[1][chosen]
    breaks = (np.diff(chosen) > 1) | (np.diff(records) != 0)
    return np.split(chosen, np.flatnonzero(breaks) + 1)


def _named_windows(folder: Path, names: Iterable[str]) -> tuple[Samples, list[str]]:
    """Read the windows of records, int16 [N, 2000], and the record that each of them is from."""
    names = tuple(names)
    windows = _windows_of_each(folder, names, WINDOWS_PER_RECORD)
    each = [name for name, cut in zip(names, windows, strict=True) for _ in cut]
    return np.concatenate(windows), each


def _windows_of_each(folder: Path, names: Iterable[str], count: int) -> list[Samples]:
    """Read the first ``count`` windows of each record, int16 [n, 2000] each."""
    stop = count * WINDOW_SAMPLES
    return [cut_windows(read_record(folder, name, samples=stop), count=count) for name in names]


def _check(recording: Recording, path: Path) -> None:
    """Refuse a record that would silently train or test on something else than ECG at 360 Hz."""
    if recording.rate_hz != RATE_HZ:
        raise DataError(
            f"{path}: sampled at {recording.rate_hz:g} Hz, the network needs {RATE_HZ} Hz."
        )
    if len(recording.samples) < WINDOW_SAMPLES:
        raise DataError(
            f"{path}: {len(recording.samples)} samples, one segment needs {WINDOW_SAMPLES}. "
            "Use a longer record."
        )
    invalid = describe_invalid(recording.samples)
    if invalid:
        raise DataError(f"{path}: {invalid}. Cut the record around them.")
