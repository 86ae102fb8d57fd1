"""EDF, EDF+ and BDF recordings, read by pyedflib."""

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.codegen.wfdb_record import SAMPLES_MAX
from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.channel import (
    MILLIVOLTS,
    Channel,
    Recording,
    Values,
    plain_unit,
    require_file,
)

SUFFIXES = (".edf", ".bdf")
BYTES_MAX = 16 << 30


def read(path: Path) -> Recording:
    """Read the channels of an EDF or BDF file.

    Raises:
        EcgError: it is damaged, or in pieces with gaps between them (EDF+D).
        MissingDependencyError: pyedflib is not installed.
    """
    require_file(path, BYTES_MAX)
    with contextlib.closing(_open(path)) as reader:
        return Recording(
            str(path), tuple(_channel(path, reader, i) for i in range(reader.signals_in_file))
        )


def _channel(path: Path, reader: Any, index: int) -> Channel:
    unit = plain_unit(reader.getPhysicalDimension(index))
    samples = int(reader.getNSamples()[index])
    if not 0 < samples <= SAMPLES_MAX:
        raise EcgError(
            f"{path}: channel {index} has {samples} samples, the kit reads 1 to "
            f"{SAMPLES_MAX:,}. Cut the recording."
        )
    try:
        rate_hz = float(reader.getSampleFrequency(index))
    except ZeroDivisionError:
        raise EcgError(
            f"{path}: its data records last 0 s, expected longer ones: so channel {index} has no "
            "sampling rate. Export the recording again."
        ) from None
    return Channel(
        name=reader.getLabel(index).strip(),
        unit="mV" if unit in MILLIVOLTS else unit or "no unit",
        rate_hz=rate_hz,
        load=partial(_load, path, index, MILLIVOLTS.get(unit, 1.0)),
    )


def _load(path: Path, index: int, millivolts: float) -> Values:
    with contextlib.closing(_open(path)) as reader:
        values: Values = np.asarray(reader.readSignal(index), np.float64) * millivolts
    return values


def _open(path: Path) -> Any:
    try:
        import pyedflib
    except ImportError as error:
        raise MissingDependencyError(
            "the Python package pyedflib is not installed; EDF files need it. "
            "Run: pip install 'dynadeep[ecg]'"
        ) from error
    try:
        with _silenced():
            return pyedflib.EdfReader(str(path))
    except Exception as error:  # pyedflib lets anything through that its parts raise
        reason = " ".join(str(error).replace(f"{path}: ", "").split())
        raise EcgError(f"{path}: not a readable EDF or BDF file ({reason}).") from error


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Drop what the C library below prints on standard output: its own words on a bad file."""
    sys.stdout.flush()
    stdout, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(nowhere)
