"""Read NumPy's files from outside, .npy and .npz: nothing unpickled, no size believed unchecked.

What an array's header declares is held against the bytes that are there before any of them is
read, so that a file cannot ask for more memory than it is long.
"""

import io
import math
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.errors import DynadeepError
from dynadeep.codegen.typed import Reader, shown

Array = npt.NDArray[np.generic]

LARGEST_BYTES = 1 << 30
"""Of a file, and of all arrays of an archive together."""

MOST_ARRAYS = 4096
KINDS = "biufU"
"""Truths, integers, floats and text: what a file of ours, or a recording, is made of."""


def read_npy(path: Path, reader: Reader, largest: int = LARGEST_BYTES) -> Array:
    """Return the array of a .npy file.

    Raises:
        DynadeepError: ``reader.error``; it is no array of numbers or text, damaged, or too large.
    """
    return _parse(reader.content(path, largest), "", reader)


def read_npz(path: Path, reader: Reader, largest: int = LARGEST_BYTES) -> dict[str, Array]:
    """Return the arrays of a .npz file by name. Raises as ``read_npy``."""
    content = reader.content(path, largest)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members, reader, largest)
            return {
                member.filename.removesuffix(".npy"): _parse(
                    archive.read(member), f"{member.filename}: ", reader
                )
                for member in members
            }
    except DynadeepError:
        raise
    except Exception as error:  # zipfile and zlib let many through
        reader.refuse(f"not a whole archive of arrays ({' '.join(str(error).split())[:200]})")


def _check_members(members: list[zipfile.ZipInfo], reader: Reader, largest: int) -> None:
    """Refuse an archive that is none of NumPy's, or that unpacks to more than may be."""
    names = {member.filename for member in members}
    if len(names) != len(members) or len(members) > MOST_ARRAYS:
        reader.refuse(
            f"{len(members)} arrays of {len(names)} names, at most {MOST_ARRAYS} are read"
        )
    for member in members:
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            reader.refuse(f"{shown(member.filename)} is packed in a way that NumPy does not use")
    total = sum(member.file_size for member in members)
    if total > largest:
        reader.refuse(f"{total:,} bytes when unpacked, at most {largest:,} are read")


def _parse(content: bytes, name: str, reader: Reader) -> Array:
    """Return the array of a .npy file's bytes; ``name`` says which one it is."""
    file = io.BytesIO(content)
    try:
        shape, column_first, dtype = _header(file)
    except Exception as error:  # NumPy has Python parse it, which fails in many ways
        reader.refuse(f"{name}not a NumPy array ({' '.join(str(error).split())[:200]})")
    if dtype.kind not in KINDS or dtype.itemsize == 0:
        reader.refuse(f"{name}an array of {dtype}, expected numbers or text; nothing is unpickled")
    data = content[file.tell() :]
    size = math.prod(shape) * dtype.itemsize
    if len(shape) > 8 or min(shape, default=0) < 0 or size != len(data):
        reader.refuse(
            f"{name}{dtype} {list(shape[:8])} needs {size:,} bytes, there are {len(data):,}"
        )
    order: Any = "F" if column_first else "C"
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read what a .npy file says of its array."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"format {version[0]}.{version[1]}, expected 1.0 or 2.0")
