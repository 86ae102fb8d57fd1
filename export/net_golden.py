"""Golden vectors of any network: inputs of the user's, or made up, and every tensor of each run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


def synthetic_cases(inputs: Sequence[TensorSpec], count: int) -> Cases:
    """Return inputs that look for saturation, borders and wrong signs, ``count`` random ones."""
    rng = np.random.default_rng(SEED)
    cases: Cases = {}
    for name, fill in _FILLS.items():
        cases[name] = {spec.name: fill(spec) for spec in inputs}
    for number in range(count):
        cases[f"random{number:02d}"] = {
            spec.name: rng.integers(LOWEST, HIGHEST, (spec.time, spec.channels), np.int8, True)
            for spec in inputs
        }
    return cases


def _constant(spec: TensorSpec, value: int) -> Int8:
    return np.full((spec.time, spec.channels), value, np.int8)


def _square(spec: TensorSpec) -> Int8:
    half = np.arange(spec.time) // max(1, spec.time // 16) % 2
    return np.where(half[:, None], HIGHEST, LOWEST).astype(np.int8).repeat(spec.channels, axis=1)


def _spike(spec: TensorSpec) -> Int8:
    codes = _constant(spec, spec.zero_point)
    codes[spec.time // 2] = HIGHEST
    return codes


_FILLS = {
    "zero": lambda spec: _constant(spec, spec.zero_point),
    "highest": lambda spec: _constant(spec, HIGHEST),
    "lowest": lambda spec: _constant(spec, LOWEST),
    "square_wave": _square,
    "spike": _spike,
}


@dataclass(frozen=True)
class Form:
    """What one input is in a file of the user's: its shape without the batch, and how to turn it.

    ``series`` takes [N, *shape] to [N, time, channels].
    """

    name: str
    shape: tuple[int, ...]
    series: Callable[[Array], Array]


def series_form(name: str, time: int, channels: int) -> Form:
    """Return the form of an input that stands as [time, channels]."""
    return Form(name, (time, channels), lambda values: values.reshape(-1, time, channels))


def read_inputs(path: Path, forms: Sequence[Form], *, codes: bool) -> list[Array]:
    """Read N inputs of a network: a .npy for one input, a .npz of arrays by name for several.

    Args:
        path: the file.
        forms: the network's inputs.
        codes: int8 arrays are codes of the network's own scale, and real values are float; without
            it all numbers are real values.

    Returns:
        An array [N, time, channels] for each input.

    Raises:
        CalibrationError: the file is damaged, or an array is missing, of another type or shape.
    """
    reader = Reader(str(path), CalibrationError, f"Expected {_expected(forms, codes=codes)}.")
    if path.suffix == ".npz":
        arrays = read_npz(path, reader)
    elif len(forms) == 1:
        arrays = {forms[0].name: read_npy(path, reader)}
    else:
        reader.refuse(f"the network has {len(forms)} inputs, which one array cannot name")
    checked = [_checked(arrays, form, reader, codes=codes) for form in forms]
    if len({len(values) for values in checked}) != 1:
        reader.refuse("the arrays differ in their number of inputs")
    return checked


def codes_of(values: Array, spec: TensorSpec) -> Int8:
    """Return int8 codes as they are, real values as TFLite's QUANTIZE and ``dd_quantize.h`` do."""
    if values.dtype == np.int8:
        return values.astype(np.int8)
    steps = values.astype(np.float32) / np.float32(spec.scale)
    away = np.trunc(steps + np.copysign(np.float32(0.5), steps)).astype(np.float64)
    codes: Int8 = np.clip(away + spec.zero_point, LOWEST, HIGHEST).astype(np.int8)
    return codes


def cases_of(arrays: Sequence[Array], inputs: Sequence[TensorSpec], name: str = "given") -> Cases:
    """Return the inputs that ``read_inputs`` read, as int8."""
    codes = {spec.name: codes_of(values, spec) for values, spec in zip(arrays, inputs, strict=True)}
    return {
        f"{name}{number:02d}": {tensor: values[number] for tensor, values in codes.items()}
        for number in range(len(arrays[0]))
    }


def spread(arrays: Sequence[Array], count: int) -> list[Array]:
    """Return at most ``count`` of the inputs that the arrays hold, evenly spread."""
    rows = np.unique(np.linspace(0, len(arrays[0]) - 1, count).round().astype(int))
    return [values[rows] for values in arrays]


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


def _checked(arrays: dict[str, Array], form: Form, reader: Reader, *, codes: bool) -> Array:
    """Return one input's values [N, time, channels]; dimensions of 1 may be left out or added."""
    values = arrays.get(form.name)
    if values is None:
        reader.refuse(f'the array "{form.name}" is missing')
    squeezed = tuple(size for size in values.shape[1:] if size != 1)
    expected = tuple(size for size in form.shape if size != 1)
    if values.ndim == 0 or len(values) == 0 or squeezed != expected:
        reader.refuse(f'"{form.name}" is {values.dtype} {list(values.shape)}')
    if values.dtype.kind not in "iuf" or (
        codes and values.dtype.kind != "f" and values.dtype != "i1"
    ):
        kinds = "neither int8 codes nor real numbers" if codes else "no numbers"
        reader.refuse(f'"{form.name}" is {values.dtype}, {kinds}')
    if not codes:
        with np.errstate(over="ignore"):  # what float32 cannot hold is no finite number
            values = values.astype(np.float32)
    if not np.isfinite(values.astype(np.float64)).all():
        reader.refuse(f'"{form.name}" has values that are no finite numbers')
    if not codes and values.min() == values.max():
        reader.refuse(
            f'"{form.name}" holds {values.min():g} and nothing else, which gives int8 no range'
        )
    return form.series(values.reshape(len(values), *form.shape))


def _expected(forms: Sequence[Form], *, codes: bool) -> str:
    """Say what a file of inputs must hold."""
    shapes = ", ".join(f'"{form.name}" {_shape(form)}' for form in forms)
    file = "a .npy" if len(forms) == 1 else "a .npz"
    kind = "float real values or int8 codes" if codes else "real values"
    return f"{file} of {kind}, {shapes}, N of 1 or more"


def _shape(form: Form) -> str:
    return "[" + ", ".join(["N", *(str(size) for size in form.shape)]) + "]"
