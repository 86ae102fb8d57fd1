"""ECG as the kit takes it: int16 ADC samples from a WFDB record, a NumPy file or a text file."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.errors import EcgError

Samples = npt.NDArray[np.int16]
TEXT_SUFFIXES = (".csv", ".txt")


@dataclass(frozen=True)
class Record:
    """A recording cut into whole segments, the last one padded if ``samples`` ends within it."""

    name: str
    segments: Samples  # int16 [N, T], ADC units
    samples: int  # real ones; the rest of the last segment repeats the last of them
    label: str | None = None  # its rhythm, one of CinC 2017's classes, where it is known

    def real_samples(self, index: int) -> int:
        """Return how many samples of segment ``index`` are not padding."""
        length = self.segments.shape[1]
        return min(int(length), self.samples - index * int(length))


def cut_record(name: str, signal: Samples, length: int) -> Record:
    """Cut ``signal`` [T] into segments of ``length``; a rest is padded with its last sample.

    Raises:
        EcgError: the signal is shorter than one segment.
    """
    if len(signal) < length:
        raise EcgError(
            f"{name}: {len(signal)} samples, one segment needs {length}. Use a longer record."
        )
    padding = -len(signal) % length
    padded = np.concatenate([signal, np.repeat(signal[-1:], padding)])
    return Record(name, padded.reshape(-1, length), len(signal))


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


def sample_records(manifest: Manifest, *, segments: int | None = None) -> list[Record]:
    """Read records that the model's network never saw, from the excerpts that the kit ships.

    They are test records of the database that it was trained on last: CinC 2017 or MIT-BIH (DS2).

    Args:
        manifest: gives the segment length, and what the network was trained on.
        segments: at most this many of each record; all of them if None.
    """
    length = manifest.segment_length
    stop = None if segments is None else segments * length
    if manifest.record.get("training", {}).get("dataset") == "cinc2017":
        return _sample_of_cinc2017(length, stop)
    from dynadeep.train.data import mitdb  # needs wfdb

    return [
        cut_record(name, mitdb.read_record(mitdb.SAMPLE_FOLDER, name, samples=stop), length)
        for name in mitdb.DS2
    ]


def _sample_of_cinc2017(length: int, stop: int | None) -> list[Record]:
    """Cut the excerpt's records as the published split does, their rhythm beside them."""
    from dynadeep.train.data import cinc2017  # needs wfdb

    records, _ = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)
    cut = cinc2017.cut(records)[:, :stop]
    return [
        replace(cut_record(record.name, samples, length), label=record.label)
        for record, samples in zip(records, cut, strict=True)
    ]


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
