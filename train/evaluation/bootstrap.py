"""95 % intervals by drawing the records again, with replacement (percentile bootstrap).

A draw is a row of weights, one a record: how often it was drawn. A figure that is computed from
weighted sums is then computed for all draws at once, and its estimate with weights of one.
Figures with the same number of records share their draws, so their intervals are comparable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dynadeep.train.evaluation.outcomes import CLASSES, Floats, Ints

RESAMPLES = 1000
SEED = 2018
LOW_PERCENT, HIGH_PERCENT = 2.5, 97.5


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


@cache
def draws(count: int) -> Ints:
    """Return which records each draw holds, int [RESAMPLES, N]; the same for the same ``count``."""
    drawn = np.random.default_rng(SEED).integers(0, count, (RESAMPLES, count))
    drawn.setflags(write=False)
    return drawn


@cache
def weights(count: int) -> Floats:
    """Return how often each draw holds each record, float [RESAMPLES, N]; rows sum to N."""
    rows = np.arange(RESAMPLES)[:, None] * count
    flat = np.bincount((draws(count) + rows).ravel(), minlength=RESAMPLES * count)
    counted = flat.reshape(RESAMPLES, count).astype(np.float64)
    counted.setflags(write=False)
    return counted


def intervals(count: int, figures: Callable[[Floats], dict[str, Floats]]) -> dict[str, Interval]:
    """Return every figure with its interval.

    ``figures`` turns weights [R, N] into one array [R] per name, NaN where a draw has none.
    """
    estimates, drawn = figures(np.ones((1, count))), figures(weights(count))
    return {name: interval(float(estimates[name][0]), drawn[name]) for name in estimates}


def interval(value: float, drawn: Floats) -> Interval:
    """Put an interval around ``value`` from its draws, float [R]; draws of NaN are left out."""
    usable = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not len(usable):
        return Interval(value, np.nan, np.nan)
    low, high = np.percentile(usable, [LOW_PERCENT, HIGH_PERCENT])
    return Interval(value, float(low), float(high))


def percentile(values: Floats, percent: float) -> Interval:
    """Return a percentile of values [N] with its interval."""
    drawn = np.percentile(values[draws(len(values))], percent, axis=1)
    return interval(float(np.percentile(values, percent)), drawn)


def mean(values: Floats) -> Interval:
    """Return the mean of values [N] with its interval."""
    return intervals(len(values), lambda drawn: {"mean": drawn @ values / len(values)})["mean"]


def mean_by_record(values: Floats, records: Sequence[str]) -> Interval:
    """Return the mean of windows' values [N], each of the record named beside it.

    Whole records are drawn, because the windows of one are alike.
    """
    numbers = np.unique(np.asarray(records), return_inverse=True)[1]
    sums, counts = np.bincount(numbers, values), np.bincount(numbers)
    return intervals(
        len(counts), lambda drawn: {"mean": ratio(drawn @ sums, drawn @ counts.astype(float))}
    )["mean"]


def ratio(top: Floats, bottom: Floats) -> Floats:
    """Divide two arrays of the same shape; NaN where ``bottom`` is 0."""
    empty = np.full(np.shape(top), np.nan)
    np.divide(top, bottom, out=empty, where=bottom != 0)
    return empty


def weighted_f1(drawn: Floats, labels: Ints, predicted: Ints) -> Floats:
    """Return the mean F1 over classes, weighted by how many records have them, [R, N] -> [R].

    A class that was neither there nor predicted weighs nothing.
    """
    classes = np.arange(CLASSES)
    is_true, is_predicted = labels[:, None] == classes, predicted[:, None] == classes
    columns = np.concatenate([is_true, is_predicted, is_true & is_predicted], axis=1).astype(float)
    # One product of matrices, [R, N] x [N, 3 * 4]: this is where the time goes.
    support, claimed, right = np.split(drawn @ columns, 3, axis=1)
    f1 = np.nan_to_num(ratio(2 * right, support + claimed))
    return np.asarray((support * f1).sum(axis=1) / drawn.sum(axis=1))


def peak_f1(drawn: Floats, peaks: Ints) -> Floats:
    """Return the F1 of all peaks together; counts (tp, fp, fn) int [N, 3], weights [R, N] -> [R].

    No peaks and none found is right: 1.
    """
    hits, false, missed = (drawn @ peaks).T
    f1 = ratio(2 * hits, 2 * hits + false + missed)
    return np.where(np.isnan(f1), 1.0, f1)
