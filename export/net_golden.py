"""Golden vectors of any network: inputs of the user's, or made up, and every tensor of each run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.arrays import Array, read_npy, read_npz
from dynadeep.codegen.bundle import TensorSpec
from dynadeep.codegen.files import open_whole
from dynadeep.codegen.golden import CASE_NAMES
from dynadeep.codegen.typed import Reader
from dynadeep.export.errors import CalibrationError
from dynadeep.export.interpreters import Int8, Values

SEED = 2026
LOWEST, HIGHEST = -128, 127
Floats = npt.NDArray[np.float32]
Cases = dict[str, Values]
"""Inputs by the case's name."""


class Runtime(Protocol):
    """Something that runs a network once and shows all that it computed."""

    def run(self, inputs: Values) -> Values:
        """Return every int8 tensor, [time, channels]."""
        ...


def made_up(inputs: Sequence[TensorSpec], count: int) -> Cases:
    """Return inputs that look for saturation, borders and wrong signs, ``count`` random ones."""
    rng = np.random.default_rng(SEED)
    cases: Cases = {}
    for name, fill in _FILLS.items():
        cases[name] = {one.name: fill(one) for one in inputs}
    for number in range(count):
        cases[f"random{number:02d}"] = {
            one.name: rng.integers(LOWEST, HIGHEST, (one.time, one.channels), np.int8, True)
            for one in inputs
        }
    return cases


def _constant(one: TensorSpec, value: int) -> Int8:
    return np.full((one.time, one.channels), value, np.int8)


def _square(one: TensorSpec) -> Int8:
    half = np.arange(one.time) // max(1, one.time // 16) % 2
    return np.where(half[:, None], HIGHEST, LOWEST).astype(np.int8).repeat(one.channels, axis=1)


def _spike(one: TensorSpec) -> Int8:
    codes = _constant(one, one.zero_point)
    codes[one.time // 2] = HIGHEST
    return codes


_FILLS = {
    "zero": lambda one: _constant(one, one.zero_point),
    "highest": lambda one: _constant(one, HIGHEST),
    "lowest": lambda one: _constant(one, LOWEST),
    "square_wave": _square,
    "spike": _spike,
}


def read_inputs(path: Path, inputs: Sequence[TensorSpec]) -> dict[str, Array]:
    """Read N inputs of a network: a .npy for one input, a .npz of arrays by name for several.

    Returns:
        int8 or float arrays [N, time, channels] by the input's name.

    Raises:
        CalibrationError: the file is damaged, or an array is missing, of another type or shape.
    """
    reader = Reader(str(path), CalibrationError, f"Expected {_expected(inputs)}.")
    if path.suffix == ".npz":
        arrays = read_npz(path, reader)
    elif len(inputs) == 1:
        arrays = {inputs[0].name: read_npy(path, reader)}
    else:
        reader.refuse(f"the network has {len(inputs)} inputs, which a .npy cannot name")
    found = {one.name: _series(arrays, one, reader) for one in inputs}
    if len({len(values) for values in found.values()}) != 1:
        reader.refuse("the arrays differ in their number of inputs")
    return found


def codes_of(values: Array, one: TensorSpec) -> Int8:
    """Return int8 codes as they are, real values as the input's scale and zero point have them."""
    if values.dtype == np.int8:
        return values.astype(np.int8)
    scaled = np.round(values.astype(np.float64) / one.scale) + one.zero_point
    return np.clip(scaled, LOWEST, HIGHEST).astype(np.int8)


def cases_of(arrays: dict[str, Array], inputs: Sequence[TensorSpec]) -> Cases:
    """Return the inputs that ``read_inputs`` read, as int8."""
    codes = {one.name: codes_of(arrays[one.name], one) for one in inputs}
    count = len(next(iter(codes.values())))
    return {
        f"given{number:02d}": {name: values[number] for name, values in codes.items()}
        for number in range(count)
    }


def run_cases(cases: Cases, runtime: Runtime) -> list[Values]:
    """Return every tensor of each case."""
    return [runtime.run(inputs) for inputs in cases.values()]


def write_golden(path: Path, cases: Cases, runs: Sequence[Values]) -> None:
    """Write ``golden.npz``."""
    arrays: dict[str, npt.NDArray[np.generic]] = {CASE_NAMES: np.array(list(cases))}
    for name in runs[0]:
        arrays[name] = np.stack([run[name] for run in runs])
    with open_whole(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _series(arrays: dict[str, Array], one: TensorSpec, reader: Reader) -> Array:
    """Return one input's values [N, time, channels]; dimensions of 1 may stand anywhere."""
    values = arrays.get(one.name)
    if values is None:
        reader.refuse(f'the array "{one.name}" is missing')
    squeezed = tuple(size for size in values.shape[1:] if size != 1)
    expected = tuple(size for size in (one.time, one.channels) if size != 1)
    if values.ndim == 0 or len(values) == 0 or squeezed != expected:
        reader.refuse(f'"{one.name}" is {values.dtype} {list(values.shape)}')
    if values.dtype != np.int8 and values.dtype.kind != "f":
        reader.refuse(f'"{one.name}" is {values.dtype}, neither int8 codes nor real numbers')
    if not np.isfinite(values.astype(np.float64)).all():
        reader.refuse(f'"{one.name}" has values that are no finite numbers')
    return values.reshape(len(values), one.time, one.channels)


def _expected(inputs: Sequence[TensorSpec]) -> str:
    """Say what a file of inputs must hold."""
    shapes = ", ".join(f'"{one.name}" [N, {one.time}, {one.channels}]' for one in inputs)
    kind = "a .npy" if len(inputs) == 1 else "a .npz"
    return f"{kind} of float real values or int8 codes, {shapes}, N of 1 or more"
