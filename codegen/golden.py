"""Golden vectors, ``golden.npz``: inputs, and every tensor that the network makes of them.

A codec's: ``samples`` int16 [N, T], ``names`` [N], ``input`` int8 [N, T], and each tensor under its
own name (``conv1/silu``), int8 [N, T', C]. Any other network's: ``#names`` [N], and each tensor,
the inputs among them, under its own name, int8 [N, T', C]; no tensor's name holds a "#".
Nothing in it is pickled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.arrays import Array, read_npz
from dynadeep.codegen.bundle import MAKE_AGAIN, TensorSpec
from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.typed import Reader, shown

SAMPLES, NAMES, MAPPED = "samples", "names", "input"
CASE_NAMES = "#names"


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
    reader = Reader(str(path), BundleError, MAKE_AGAIN)
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
    return Golden(
        names=tuple(str(name) for name in names),
        samples=samples.astype(np.int16),
        inputs=inputs.astype(np.int8),
        tensors=_tensors(arrays, count, reader),
    )


@dataclass(frozen=True)
class NetGolden:
    """N runs of a network: what each is called, and the reference's values for all of them."""

    names: tuple[str, ...]
    tensors: dict[str, npt.NDArray[np.int8]]  # [N, T', C], the inputs among them


def read_net_golden(path: Path, inputs: Sequence[TensorSpec]) -> NetGolden:
    """Read the golden vectors of a network that has these inputs.

    Raises:
        BundleError: the file is damaged, or an array is missing, of another type or shape.
    """
    reader = Reader(str(path), BundleError, MAKE_AGAIN)
    arrays = read_npz(path, reader)
    names = arrays.pop(CASE_NAMES, None)
    if names is None or names.dtype.kind != "U" or names.ndim != 1 or len(names) == 0:
        reader.refuse(f'not golden vectors of a network: "{CASE_NAMES}" is no list of text')
    tensors = _tensors(arrays, len(names), reader)
    for spec in inputs:
        expected = (len(names), spec.time, spec.channels)
        if spec.name not in tensors or tensors[spec.name].shape != expected:
            reader.refuse(f"it has no input {shown(spec.name)} of int8 {list(expected)}")
    return NetGolden(_text(names, reader), tensors)


def _text(names: Array, reader: Reader) -> tuple[str, ...]:
    """Return names as text; numpy holds any numbers for characters."""
    try:
        texts = tuple(map(str, names))
        "".join(texts).encode("utf-8")
    except (SystemError, ValueError):
        reader.refuse(f'"{CASE_NAMES}" holds what is no text')
    return texts


def _tensors(
    arrays: dict[str, Array], count: int, reader: Reader
) -> dict[str, npt.NDArray[np.int8]]:
    """Return the arrays, each of ``count`` int8 tensors."""
    for name, values in arrays.items():
        if values.dtype != np.int8 or values.ndim < 2 or len(values) != count or values.size == 0:
            reader.refuse(f"{shown(name)} is {_kind(values)}, expected int8 [{count}, ...]")
    return {name: values.astype(np.int8) for name, values in arrays.items()}


def _kind(array: Array) -> str:
    return f"{array.dtype} {list(array.shape)}"
