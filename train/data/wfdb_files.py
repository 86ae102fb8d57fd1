"""Find, fetch and read WFDB databases: what the readers of all of them share."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynadeep.codegen import wfdb_record
from dynadeep.codegen.errors import RecordingError
from dynadeep.codegen.files import write_whole
from dynadeep.train.errors import DataError

DATA_VARIABLE = "DYNADEEP_DATA"
INVALID = -32768
"""Stands for a sample that is missing, which WFDB shows as NaN, whatever the record's format."""

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Recording:
    """Channel 0 of a record: ADC samples, int16 [T], INVALID where there is none."""

    samples: Samples
    rate_hz: float
    units_per_mv: float
    zero: int
    """The ADC value at 0 mV."""


def find_folder(data: Path | None, name: str, title: str, headers: str = "*.hea") -> Path:
    """Return the folder with the records: ``name`` in ``data`` or $DYNADEEP_DATA, or that itself.

    ``headers`` is a pattern that tells the database's headers from another one's.
    Raises DataError if no folder is named, or if neither has such a WFDB header.
    """
    named = data or os.environ.get(DATA_VARIABLE)
    if not named:
        raise DataError(f"no data folder: name one, or set {DATA_VARIABLE} to it.")
    for folder in (Path(named) / name, Path(named)):
        if next(folder.glob(headers), None) is not None:
            return folder
    raise DataError(
        f"{named}: no WFDB header ({headers}) there or in its {name}/. "
        f"Name the folder that {title} was unpacked in, or download it."
    )


def fetch(folder: Path, title: str, get: Callable[[], None]) -> Path:
    """Run ``get``, which downloads a database into ``folder``, and return the folder.

    Raises DataError, with the cause, if it fails.
    """
    try:
        get()
    except (
        OSError,
        IndexError,
    ) as problem:  # requests' errors are OSErrors; a page without version
        raise DataError(
            f"{folder}: {title} could not be downloaded ({problem}). "
            "Check the network, or name a folder that holds the database."
        ) from problem
    return folder


@contextmanager
def written_whole(folder: Path) -> Iterator[str]:
    """Yield a folder for libraries to write to; its files then come into ``folder``, each whole."""
    with tempfile.TemporaryDirectory() as scratch:
        yield scratch
        for file in sorted(Path(scratch).iterdir()):
            write_whole(folder / file.name, file.read_bytes())


def read_recording(path: Path, *, samples: int | None = None) -> Recording:
    """Read channel 0 of the record ``path`` (no suffix), the first ``samples`` or all.

    Raises DataError for a record that is missing or unreadable.
    """
    try:
        header = wfdb_record.read_header(path)
        if header.segments:
            raise DataError(f"{path}: joins segments, which no record of a database here does.")
        signal, missing = wfdb_record.read_channel(header, 0, frames=samples)
    except RecordingError as problem:
        raise DataError(str(problem)) from problem
    signal[missing] = INVALID
    if len(signal) and not INVALID <= signal.min() <= signal.max() <= np.iinfo(np.int16).max:
        raise DataError(f"{path}: its samples do not fit int16.")
    channel = header.channels[0]
    return Recording(signal.astype(np.int16), channel.rate_hz, channel.gain, channel.baseline)


def describe_invalid(samples: Samples) -> str | None:
    """Say how many of the samples [T] are missing and where the first is; None if none is."""
    invalid = samples == INVALID
    if not invalid.any():
        return None
    return f"{int(invalid.sum())} invalid samples (NaN), the first at {int(invalid.argmax())}"
