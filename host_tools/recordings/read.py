"""ECG as the kit takes it: int16 ADC samples from a WFDB record, a NumPy file or a text file."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.record import Record, Samples, cut_record

TEXT_SUFFIXES = (".csv", ".txt")


def as_samples(name: str, values: npt.ArrayLike) -> Samples:
    """Return ``values`` as int16 ADC samples of the same shape, nothing rounded or clipped.

    Raises:
        EcgError: a value is not a number, not whole, or outside int16.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise EcgError(f"{name}: holds {array.dtype}, not numbers. Give ADC samples (int16).")
    flat = array.reshape(-1)
    _refuse(name, flat, ~np.isfinite(flat), "is not a number (NaN or infinite)")
    _refuse(name, flat, flat != np.round(flat), "is not a whole ADC value")
    _refuse(name, flat, (flat < -32768) | (flat > 32767), "does not fit int16")
    return array.astype(np.int16)


def read_record(path: Path, manifest: Manifest) -> Record:
    """Read a recording for the model of ``manifest``.

    Args:
        path: a WFDB record (with or without ``.hea``; channel 0), ``.npy`` (``[T]``, or segments
            ``[N, T]``), ``.csv`` or ``.txt`` (one number a line).
        manifest: gives segment length and sample rate.

    Raises:
        EcgError: no such file, not numbers, or too short.
        DataError: the WFDB record cannot be used (other rate, invalid samples, too short).
    """
    length = manifest.segment_length
    if path.suffix == ".npy":
        return _from_array(str(path), _load_npy(path), length)
    if path.suffix in TEXT_SUFFIXES:
        return _from_array(str(path), _load_text(path), length)
    return cut_record(str(path.with_suffix("")), _load_wfdb(path), length)


def _from_array(name: str, array: npt.NDArray[np.generic], length: int) -> Record:
    if array.ndim == 1:
        return cut_record(name, as_samples(name, array), length)
    if array.ndim != 2 or array.shape[1] != length or len(array) == 0:
        raise EcgError(
            f"{name}: shape {list(array.shape)}, expected segments [N, {length}] or a record [T]."
        )
    return Record(name, as_samples(name, array), array.size)


def _load_npy(path: Path) -> npt.NDArray[np.generic]:
    _require(path)
    try:
        array: npt.NDArray[np.generic] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise EcgError(f"{path}: not a NumPy array ({error}).") from error
    return array


def _load_text(path: Path) -> npt.NDArray[np.generic]:
    _require(path)
    try:
        values = [float(word) for word in path.read_text("utf-8").replace(",", " ").split()]
    except ValueError as error:
        raise EcgError(f"{path}: {error}. Expected one ADC sample a line.") from error
    return np.array(values)


def _load_wfdb(path: Path) -> Samples:
    from dynadeep.train.data import mitdb  # needs wfdb

    record = path.with_suffix("") if path.suffix in (".hea", ".dat") else path
    return mitdb.read_record(record.parent, record.name)


def _require(path: Path) -> None:
    if not path.is_file():
        raise EcgError(f"{path}: no such file.")


def _refuse(
    name: str, flat: npt.NDArray[np.generic], wrong: npt.NDArray[np.bool_], what: str
) -> None:
    if wrong.any():
        first = int(wrong.argmax())
        raise EcgError(f"{name}: sample {first} ({flat[first]}) {what}. Give ADC samples (int16).")
