"""Which level each record is sent at, by the heads, by an oracle, or always the same."""

from collections.abc import Sequence

import numpy as np

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation.outcomes import Floats, Ints, TaskOutcome

NONE = 0


def choose(expected: Floats, bound: float, allowed: Sequence[int] | None = None) -> Ints:
    """Return the strongest allowed level whose expected loss is within ``bound``, int [N].

    ``expected`` is float [N, K]: predictions with their margins, or true losses. Levels count
    from 1, the weakest; 0 is "none", taken where no other holds. All are allowed by default.
    """
    levels = expected.shape[1]
    wanted = range(1, levels + 1) if allowed is None else sorted(allowed)
    if any(level not in range(1, levels + 1) for level in wanted):
        raise ValueError(f"levels {list(wanted)} are not among 1 to {levels}")
    chosen = np.full(len(expected), NONE, np.int64)
    for level in wanted:
        chosen[expected[:, level - 1] <= bound] = level
    return chosen


def always(count: int, level: int) -> Ints:
    """Return one level for every record, int [N], as a codec without a decision does."""
    return np.full(count, level, np.int64)


def by_heads(task: TaskOutcome, bound: float, allowed: Sequence[int] | None = None) -> Ints:
    """Return the level that the heads choose, int [N]; DataError for a codec without heads."""
    return choose(with_margins(task), bound, allowed)


def by_oracle(task: TaskOutcome, bound: float, allowed: Sequence[int] | None = None) -> Ints:
    """Return the level that knowing the true losses would choose, int [N]."""
    return choose(task.loss, bound, allowed)


def with_margins(task: TaskOutcome) -> Floats:
    """Return what a bound is compared with, float [N, K]: predictions plus margins."""
    if task.predicted is None or task.margins is None:
        raise DataError("this codec has no error heads, so it decides nothing. Score it as always.")
    return task.predicted + task.margins


def bound_for_gain(expected: Floats, gains: Floats, wanted: float) -> float | None:
    """Return the least bound whose mean gain is at least ``wanted``, or None if no bound's is.

    The mean gain rises with the bound, and only at one of the expected losses, float [N, K];
    ``gains`` is float [K+1], "none" first. No bound below 0 is tried.
    """
    bounds = np.unique(np.maximum(expected, 0.0))
    low, high = 0, len(bounds)
    while low < high:
        middle = (low + high) // 2
        if gains[choose(expected, float(bounds[middle]))].mean() >= wanted:
            high = middle
        else:
            low = middle + 1
    return float(bounds[low]) if low < len(bounds) else None
