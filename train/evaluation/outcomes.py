"""What was measured on every record, whatever is decided afterwards.

N records; K compressed levels, from the weakest to the strongest. Arrays with K + 1 columns
have the record as it was in column 0 (level "none").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.errors import DataError

SEGMENT_SAMPLES = 2000
CODES = (62, 31)
CLASSES = 4
RHYTHM, RPEAKS, BOTH = "rhythm", "rpeaks", "both"
TASKS = (RHYTHM, RPEAKS, BOTH)
PRECISIONS = ("float", "int8")
KINDS: tuple[PromiseKind, ...] = get_args(PromiseKind)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Margins = Callable[[float], Floats]
"""The margin of each level at a bound, float [K]."""


@dataclass(frozen=True)
class Foreseen:
    """What the heads of one checkpoint say of N records, and how it is held against a bound."""

    promise: PromiseKind  # the loss that they foresee
    predicted: Floats  # [N, S, K], without margins
    record_margins: Margins
    segment_margins: Margins
    foresight: Mapping[str, float]  # level -> correlation with the true loss on the hold-out

    def records_at(self, bound: float) -> Floats:
        """Return what is held against a bound for one decision a record, float [N, K]."""
        return np.asarray(self.predicted.mean(axis=1) + self.record_margins(bound))

    def segments_at(self, bound: float) -> Floats:
        """Return what is held against a bound for one decision a segment, float [N, S, K]."""
        return np.asarray(self.predicted + self.segment_margins(bound))


@dataclass(frozen=True)
class TaskOutcome:
    """One task on N records at K compressed levels; losses are those that bounds are set on.

    ``foreseen`` is None for a codec without heads. ``peaks`` counts true positives, false positives
    and false negatives against the peaks found in the raw record.
    """

    raw_loss: Floats  # float [N], the task's own
    loss: Floats  # float [N, K], the task's own
    added: Floats  # float [N, K], what compression adds: a raw record has none
    foreseen: Foreseen | None = None
    probabilities: Floats | None = None  # float [N, K+1, 4]
    peaks: Ints | None = None  # int [N, K+1, 3]

    def lost(self, promise: PromiseKind) -> Floats:
        """Return the loss that a promise is about, "none" first, float [N, K+1]."""
        raw = self.raw_loss if promise == "loss" else np.zeros_like(self.raw_loss)
        return np.column_stack([raw, self.loss if promise == "loss" else self.added])


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
        return ("none", *map(level_name, self.codes))

    def task(self, name: str) -> TaskOutcome:
        """Return a task's outcome; DataError where it was not measured."""
        if name not in self.tasks:
            raise DataError(
                f"task {name!r} was not measured; there is {sorted(self.tasks)}. Evaluate it too."
            )
        return self.tasks[name]


def level_name(codes: int) -> str:
    """Return what a level of so many codes is called."""
    return str(SEGMENT_SAMPLES // codes)


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
    _check_floats(f"{name}.added", task.added, (count, levels))
    if task.foreseen is not None:
        segments = task.foreseen.predicted.shape[1:2]
        shape = (count, *segments, levels)
        _check_floats(f"{name}.predicted", task.foreseen.predicted, shape, lowest=None)
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
        expected = "floats" if kinds == "f" else "integers"
        raise DataError(
            f"{name}: expected {expected} {list(shape)}, "
            f"found {values.dtype} {list(values.shape)}. N is the number of names, K that of codes."
        )
