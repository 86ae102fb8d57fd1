"""NumPy files: ``.npy`` and ``.npz``. Nothing in them is unpickled."""

import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.errors import line_of
from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.channel import BARE, Channel, Recording, Values, require_file

SUFFIXES = (".npy", ".npz")
BYTES_MAX = 1 << 30
CHANNELS_MAX = 32
"""More columns than this are no channels."""

Array = npt.NDArray[np.generic]


def read(path: Path, segment_length: int) -> Recording:
    """Read a NumPy file: samples [T], segments [N, T'] or channels [T, C]; in ``.npz`` by name.

    Raises:
        EcgError: it is damaged, holds objects, no numbers, or an array of another shape.
    """
    require_file(path, BYTES_MAX)
    if path.suffix.lower() == ".npz":
        channels = [
            channel
            for name, array in _load_archive(path).items()
            for channel in _channels(f"{path}: {name}", name, array, segment_length)
        ]
    else:
        channels = _channels(str(path), "", _load_array(path), segment_length)
    return Recording(str(path), tuple(channels))


def _load_array(path: Path) -> Array:
    try:
        # Mapped, so that a length in its header is held against the file, not asked for.
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # of a damaged header, whatever Python's parser raises
        raise EcgError(f"{path}: not a NumPy array ({_reason(error)}).") from error
    return array


def _load_archive(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > BYTES_MAX:
            raise EcgError(f"{path}: unpacks to {size:,} bytes, over {BYTES_MAX:,}. Cut it.")
        with np.load(path, allow_pickle=False) as arrays:
            loaded: dict[str, Array] = {name: np.asarray(arrays[name]) for name in arrays}
    except EcgError:
        raise
    except Exception as error:  # of a damaged archive, whatever its parts raise
        raise EcgError(f"{path}: not a NumPy archive ({_reason(error)}).") from error
    if not loaded:
        raise EcgError(f"{path}: holds no array.")
    return loaded


def _reason(error: Exception) -> str:
    return line_of(error) or type(error).__name__


def _channels(place: str, name: str, array: Array, segment_length: int) -> list[Channel]:
    if array.dtype.kind not in "iuf":
        raise EcgError(f"{place}: holds {array.dtype}, not numbers. Give ADC samples (int16).")
    if array.ndim == 2 and len(array) and array.shape[1] == segment_length:
        array = array.reshape(-1)
    if array.ndim == 1 and array.size:
        return [Channel(name, BARE, None, partial(_as_float, array))]
    if (
        array.ndim == 2
        and 0 < min(array.shape) <= CHANNELS_MAX
        and max(array.shape) >= segment_length
    ):
        columns = array if array.shape[1] <= array.shape[0] else array.T
        names = [f"{name}_{i}" if name else "" for i in range(columns.shape[1])]
        return [
            Channel(names[i], BARE, None, partial(_as_float, columns[:, i]))
            for i in range(columns.shape[1])
        ]
    raise EcgError(
        f"{place}: shape {list(array.shape)}, expected segments [N, {segment_length}], a record "
        "[T] or its channels [T, C]."
    )


def _as_float(array: Array) -> Values:
    return np.asarray(array, np.float64)
