"""Write decoded ECG: the suffix of the name says in which format."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from dynadeep.codegen.files import open_whole
from dynadeep.host_tools.codec.reception import Reception
from dynadeep.host_tools.errors import EcgError


def require_format(path: Path) -> None:
    """Refuse a name whose suffix is none of FORMATS.

    Raises:
        EcgError: it is another, or there is none.
    """
    if path.suffix.lower() not in FORMATS:
        raise EcgError(
            f"{path}: the suffix {path.suffix!r} names no format that the kit writes. "
            f"Give one of {', '.join(FORMATS)}."
        )


def write_ecg(path: Path, reception: Reception) -> None:
    """Write a reception to ``path``, whole or not at all.

    Raises:
        EcgError: its suffix names no format.
        OSError: it cannot be written.
    """
    require_format(path)
    with open_whole(path) as file:
        FORMATS[path.suffix.lower()](file, reception)


def _write_npy(file: BinaryIO, reception: Reception) -> None:
    np.save(file, reception.ecg)


def _write_npz(file: BinaryIO, reception: Reception) -> None:
    np.savez_compressed(
        file,
        ecg=reception.ecg,
        stream=reception.stream,
        segment=reception.segment,
        received=reception.received,
    )


def _write_text(file: BinaryIO, reception: Reception) -> None:
    np.savetxt(file, reception.ecg.reshape(-1), fmt="%.3f")


FORMATS: dict[str, Callable[[BinaryIO, Reception], None]] = {
    ".npy": _write_npy,
    ".npz": _write_npz,
    ".csv": _write_text,
    ".txt": _write_text,
}
"""``.npy``: float64 [N, T], one row a segment. ``.npz``: ``ecg``, the same, and for each row
``stream``, ``segment`` and ``received``. Text: one sample a line. A lost segment is NaN in all."""
