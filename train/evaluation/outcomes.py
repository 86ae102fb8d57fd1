"""What was measured on every record, whatever is decided afterwards; kept as one .npz file.

N records; K compressed levels, from the weakest to the strongest. Arrays with K + 1 columns
have the record as it was in column 0 (level "none").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynadeep.codegen.arrays import read_npz
from dynadeep.codegen.files import open_whole
from dynadeep.codegen.typed import Reader
from dynadeep.train.errors import DataError

SEGMENT_SAMPLES = 2000
CODES = (62, 31)
CLASSES = 4
RHYTHM, RPEAKS, BOTH = "rhythm", "rpeaks", "both"
TASKS = (RHYTHM, RPEAKS, BOTH)
PRECISIONS = ("float", "int8")
VERSION = 1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TaskOutcome:
    """One task on N records at K compressed levels; losses are those that bounds are set on.

    ``predicted`` is the heads' mean over a record's segments, before ``margins``; both are None
    for a codec without heads. ``peaks`` counts true positives, false positives and false
    negatives against the peaks found in the raw record.
    """

    raw_loss: Floats  # float [N]
    loss: Floats  # float [N, K]
    predicted: Floats | None = None  # float [N, K]
    margins: Floats | None = None  # float [K]
    probabilities: Floats | None = None  # float [N, K+1, 4]
    peaks: Ints | None = None  # int [N, K+1, 3]


@dataclass(frozen=True)
class Outcomes:
    """All tasks on the same N records. Raises DataError where anything does not fit."""

    names: tuple[str, ...]
    labels: Ints  # int [N], index into the rhythm classes
    precision: str
    raw_bytes: Ints  # int [N]
    wire_bytes: Ints  # int [N, K+1], whole packets
    prd: Floats  # float [N, K], percent
    prdn: Floats  # float [N, K], percent
    tasks: Mapping[str, TaskOutcome]
    codes: tuple[int, ...] = CODES

    def __post_init__(self) -> None:
        check(self)

    @property
    def records(self) -> int:
        """The number of records, N."""
        return len(self.names)

    @property
    def gains(self) -> Floats:
        """The published compression gain of each level, "none" (1) first, float [K+1]."""
        return np.array([1.0, *(SEGMENT_SAMPLES / code for code in self.codes)])

    @property
    def level_names(self) -> tuple[str, ...]:
        """What the levels are called, "none" first: the whole part of their gain."""
        return ("none", *(str(SEGMENT_SAMPLES // code) for code in self.codes))

    def task(self, name: str) -> TaskOutcome:
        """Return a task's outcome; DataError where it was not measured."""
        if name not in self.tasks:
            raise DataError(
                f"task {name!r} was not measured; there is {sorted(self.tasks)}. Evaluate it too."
            )
        return self.tasks[name]


def check(outcomes: Outcomes) -> None:
    """Raise DataError unless every array has its shape, its kind and usable values."""
    count, levels = len(outcomes.names), len(outcomes.codes)
    if count == 0:
        raise DataError("outcomes: expected at least 1 record, found 0. Evaluate some records.")
    if len(set(outcomes.names)) != count:
        raise DataError("outcomes: a record is named twice. Evaluate each of them once.")
    if outcomes.precision not in PRECISIONS:
        raise DataError(f"outcomes: precision is {outcomes.precision!r}, not one of {PRECISIONS}.")
    if not levels or sorted(set(outcomes.codes), reverse=True) != list(outcomes.codes):
        raise DataError(f"outcomes: codes {outcomes.codes} must fall from level to level.")
    _check_ints("labels", outcomes.labels, (count,), 0, CLASSES - 1)
    _check_ints("raw_bytes", outcomes.raw_bytes, (count,), 1)
    _check_ints("wire_bytes", outcomes.wire_bytes, (count, levels + 1), 1)
    _check_floats("prd", outcomes.prd, (count, levels))
    _check_floats("prdn", outcomes.prdn, (count, levels))
    if not outcomes.tasks:
        raise DataError("outcomes: expected at least one task, found none.")
    for name, task in outcomes.tasks.items():
        if name not in TASKS:
            raise DataError(f"outcomes: task {name!r} is not one of {TASKS}.")
        _check_task(name, task, count, levels)


def _check_task(name: str, task: TaskOutcome, count: int, levels: int) -> None:
    """Check one task; each needs what its F1 is computed from."""
    _check_floats(f"{name}.raw_loss", task.raw_loss, (count,))
    _check_floats(f"{name}.loss", task.loss, (count, levels))
    if (task.predicted is None) != (task.margins is None):
        raise DataError(f"{name}: predictions and margins go together, only one was given.")
    if task.predicted is not None and task.margins is not None:
        _check_floats(f"{name}.predicted", task.predicted, (count, levels), lowest=None)
        _check_floats(f"{name}.margins", task.margins, (levels,), lowest=None)
    if task.probabilities is not None:
        shape = (count, levels + 1, CLASSES)
        _check_floats(f"{name}.probabilities", task.probabilities, shape)
    elif name != RPEAKS:
        raise DataError(f"{name}: F1 needs probabilities [{count}, {levels + 1}, {CLASSES}].")
    if task.peaks is not None:
        _check_ints(f"{name}.peaks", task.peaks, (count, levels + 1, 3), 0)
    elif name != RHYTHM:
        raise DataError(f"{name}: F1 needs counts of peaks [{count}, {levels + 1}, 3].")


def _check_floats(
    name: str, values: Floats, shape: tuple[int, ...], lowest: float | None = 0.0
) -> None:
    """Raise DataError unless ``values`` are finite floats of this shape, none below ``lowest``."""
    _check_shape(name, values, shape, "f")
    bad = ~np.isfinite(values)
    if lowest is not None:
        bad |= values < lowest
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"{name}: value at {where} is {values[where]}. Leave that record out, and count it."
        )


def _check_ints(
    name: str, values: Ints, shape: tuple[int, ...], lowest: int, highest: int | None = None
) -> None:
    """Raise DataError unless ``values`` are integers of this shape and within these limits."""
    _check_shape(name, values, shape, "iu")
    bad = values < lowest
    if highest is not None:
        bad |= values > highest
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        limits = f"{lowest} to {highest}" if highest is not None else f"{lowest} or more"
        raise DataError(f"{name}: expected {limits}, found {values[where]} at {where}.")


def _check_shape(
    name: str, values: NDArray[np.generic], shape: tuple[int, ...], kinds: str
) -> None:
    """Raise DataError unless an array has this shape and one of these dtype kinds."""
    if values.shape != shape or values.dtype.kind not in kinds:
        wanted = "floats" if kinds == "f" else "integers"
        raise DataError(
            f"{name}: expected {wanted} {list(shape)}, found {values.dtype} {list(values.shape)}. "
            "N is the number of names, K that of codes."
        )


def save(outcomes: Outcomes, path: Path) -> Path:
    """Write outcomes to ``path`` (.npz); the same outcomes give the same bytes."""
    arrays: dict[str, NDArray[np.generic]] = {
        "version": np.array(VERSION),
        "names": np.array(outcomes.names),
        "labels": outcomes.labels,
        "precision": np.array(outcomes.precision),
        "raw_bytes": outcomes.raw_bytes,
        "wire_bytes": outcomes.wire_bytes,
        "prd": outcomes.prd,
        "prdn": outcomes.prdn,
        "codes": np.array(outcomes.codes),
    }
    for name, task in outcomes.tasks.items():
        for field, values in vars(task).items():
            if values is not None:
                arrays[f"{name}.{field}"] = values
    with open_whole(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return path


def load(path: Path) -> Outcomes:
    """Read what ``save`` wrote. Raises DataError where the file is not that, or is damaged."""
    arrays = read_npz(path, Reader(str(path), DataError, "Evaluate again."))
    version = arrays.get("version")
    if (
        version is None
        or version.shape != ()
        or version.dtype.kind not in "iu"
        or version != VERSION
    ):
        raise DataError(
            f"{path}: expected version {VERSION}, found {version}. Evaluate again with this kit."
        )
    try:
        return _outcomes_of(arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: {error} is missing or unknown. Evaluate again.") from error


def _outcomes_of(arrays: Mapping[str, NDArray[np.generic]]) -> Outcomes:
    """Put the arrays of a file together again; KeyError or TypeError where their names differ."""
    tasks: dict[str, dict[str, NDArray[np.generic]]] = {}
    for key, values in arrays.items():
        name, dot, field = key.partition(".")
        if dot:
            tasks.setdefault(name, {})[field] = values
    return Outcomes(
        names=tuple(str(name) for name in arrays["names"]),
        labels=arrays["labels"].astype(np.int64, casting="safe"),
        precision=str(arrays["precision"]),
        raw_bytes=arrays["raw_bytes"].astype(np.int64, casting="safe"),
        wire_bytes=arrays["wire_bytes"].astype(np.int64, casting="safe"),
        prd=arrays["prd"].astype(np.float64, casting="safe"),
        prdn=arrays["prdn"].astype(np.float64, casting="safe"),
        tasks={name: TaskOutcome(**fields) for name, fields in tasks.items()},  # type: ignore[arg-type]
        codes=tuple(int(code) for code in arrays["codes"].astype(np.int64, casting="safe")),
    )
