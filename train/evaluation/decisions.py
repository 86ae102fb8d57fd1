"""Which level each record is sent at, by the heads, by an oracle, or always the same."""

from collections.abc import Sequence

import numpy as np

from dynadeep.codegen.numerics import fixed_error, real_error
from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.errors import DataError
from dynadeep.train.evaluation.outcomes import Floats, Foreseen, Ints, TaskOutcome

NONE = 0
BOUND_STEPS, HIGHEST_BOUND = 1000, 16
"""Bounds are searched in so many steps to the unit."""


def choose(expected: Floats, bound: float, allowed: Sequence[int] | None = None) -> Ints:
    """Return the strongest allowed level whose expected loss is within ``bound``, int [N].

    ``expected`` is float [N, K]: predictions with their margins, or true losses. Levels count
    from 1, the weakest; 0 is "none", taken where no other holds. All are allowed by default.
    """
    levels = expected.shape[1]
    candidates = range(1, levels + 1) if allowed is None else sorted(allowed)
    if any(level not in range(1, levels + 1) for level in candidates):
        raise ValueError(f"levels {list(candidates)} are not among 1 to {levels}")
    chosen = np.full(len(expected), NONE, np.int64)
    for level in candidates:
        chosen[expected[:, level - 1] <= bound] = level
    return chosen


def always(count: int, level: int) -> Ints:
    """Return one level for every record, int [N], as a codec without a decision does."""
    return np.full(count, level, np.int64)


def by_heads(task: TaskOutcome, bound: float, allowed: Sequence[int] | None = None) -> Ints:
    """Return the level that the heads choose for each record, int [N].

    Raises:
        DataError: the codec has no heads.
    """
    bound = on_device(bound)
    return choose(foreseen(task).records_at(bound), bound, allowed)


def by_segment(task: TaskOutcome, bound: float) -> Ints:
    """Return the level that the heads choose for each segment, int [N, S]; as ``by_heads``."""
    bound = on_device(bound)
    expected = foreseen(task).segments_at(bound)
    return choose(expected.reshape(-1, expected.shape[2]), bound).reshape(expected.shape[:2])


def by_oracle(
    task: TaskOutcome, promise: PromiseKind, bound: float, allowed: Sequence[int] | None = None
) -> Ints:
    """Return the level that knowing the true losses would choose, int [N]."""
    return choose(task.lost(promise)[:, 1:], bound, allowed)


def on_device(bound: float) -> float:
    """Return a bound as the device has it, in Q8.24."""
    return real_error(fixed_error(bound))


def foreseen(task: TaskOutcome) -> Foreseen:
    """Return what a task's heads say; DataError for a codec without heads."""
    if task.foreseen is None:
        raise DataError("this codec has no error heads, so it decides nothing. Score it as always.")
    return task.foreseen


def bound_for_gain(task: TaskOutcome, gains: Floats, gain: float) -> float | None:
    """Return the least bound at which the heads reach a mean gain, or None if none does.

    ``gains`` is float [K+1], "none" first. Bounds are tried in steps of a thousandth up to
    ``HIGHEST_BOUND``; the mean gain never falls as the bound rises.
    """
    low, high = 0, HIGHEST_BOUND * BOUND_STEPS
    while low < high:
        middle = (low + high) // 2
        if gains[by_heads(task, middle / BOUND_STEPS)].mean() >= gain:
            high = middle
        else:
            low = middle + 1
    bound = low / BOUND_STEPS
    return bound if gains[by_heads(task, bound)].mean() >= gain else None
