"""Golden vectors, ``golden.npz``: segments, and every tensor that the encoder makes of them.

``samples`` int16 [N, T], ``names`` [N], ``input`` int8 [N, T], and each tensor under its own name
(``conv1/silu``), int8 [N, T', C]. Nothing in it is pickled.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.arrays import Array, read_npz
from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.typed import Reader, shown

SAMPLES, NAMES, MAPPED = "samples", "names", "input"


@dataclass(frozen=True)
class Golden:
    """N segments with the reference's values for them."""

    names: tuple[str, ...]
    samples: npt.NDArray[np.int16]  # [N, T]
    inputs: npt.NDArray[np.int8]  # [N, T], what the input map makes of the samples
    tensors: dict[str, npt.NDArray[np.int8]]  # [N, T', C]


def read_golden(path: Path, segment_length: int | None = None) -> Golden:
    """Read golden vectors, of segments of ``segment_length`` samples if that is given.

    Raises:
        BundleError: the file is damaged, or an array is missing, of another type or shape.
    """
    reader = Reader(str(path), BundleError, "Export the bundle again.")
    arrays = read_npz(path, reader)
    for name in (SAMPLES, NAMES, MAPPED):
        if name not in arrays:
            reader.refuse(f'not golden vectors: the array "{name}" is missing')
    samples, names, inputs = (arrays.pop(name) for name in (SAMPLES, NAMES, MAPPED))
    count, length = samples.shape if samples.ndim == 2 else (0, 0)
    if samples.dtype != np.int16 or count == 0 or length != (segment_length or length):
        reader.refuse(f"segments are {_kind(samples)}, expected int16 [N, {segment_length or 'T'}]")
    if names.dtype.kind != "U" or names.shape != (count,):
        reader.refuse(f'"{NAMES}" is {_kind(names)}, expected text [{count}]')
    if inputs.dtype != np.int8 or inputs.shape != samples.shape:
        reader.refuse(f'"{MAPPED}" is {_kind(inputs)}, expected int8 {list(samples.shape)}')
    for name, values in arrays.items():
        if values.dtype != np.int8 or values.ndim < 2 or len(values) != count or values.size == 0:
            reader.refuse(f"{shown(name)} is {_kind(values)}, expected int8 [{count}, ...]")
    return Golden(
        names=tuple(str(name) for name in names),
        samples=samples.astype(np.int16),
        inputs=inputs.astype(np.int8),
        tensors={name: values.astype(np.int8) for name, values in arrays.items()},
    )


def _kind(array: Array) -> str:
    return f"{array.dtype} {list(array.shape)}"
