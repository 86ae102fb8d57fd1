"""Margins that make the device keep its promise: how much to add to each predicted loss.

A level is taken if its predicted loss plus its margin stays within the bound. The margins are
fitted on records that neither the compressor nor its heads were trained on, by conformal risk
control (Angelopoulos et al., 2022): a larger margin can only lower the share of violations, so the
smallest one with (violations + 1) / (records + 1) <= rate keeps the rate on new records as well.
"""

import numpy as np
from numpy.typing import NDArray

from dynadeep.train.errors import TrainError

Values = NDArray[np.float64]

SHARES = tuple(np.linspace(0.1, 1.0, 10))
"""What part of the allowed violations the strongest level may use up before the others."""


def fit_margins(
    predicted: Values, losses: Values, gains: tuple[float, ...], *, bound: float, rate: float
) -> Values:
    """Return a margin per level [K], levels ordered from the weakest compression to the strongest.

    Args:
        predicted: predicted losses [N, K] of held-out records.
        losses: their true losses [N, K].
        gains: compression gain of each level; the margins with the highest mean gain are taken.
        bound: the largest loss that the device may promise.
        rate: the wanted share of records that are compressed and lose more than the bound.

    Raises:
        TrainError: the arrays do not fit each other, or there are too few records for the rate.
    """
    count, levels = predicted.shape
    if losses.shape != predicted.shape or len(gains) != levels:
        raise TrainError(
            f"margins: predictions {list(predicted.shape)}, losses {list(losses.shape)}, "
            f"{len(gains)} gains: one of each per record and level is needed."
        )
    allowed = int(np.floor(rate * (count + 1) + 1e-9)) - 1
    if allowed < 0:
        raise TrainError(
            f"violation rate {rate:g} from {count} records: at least {int(np.ceil(1 / rate)) - 1} "
            "are needed. Hold out more, or allow a higher rate."
        )
    candidates = [_limits(predicted, losses > bound, allowed, share) for share in SHARES]
    best = max(candidates, key=lambda limits: _mean_gain(predicted, limits, gains))
    return bound - best


def choose(predicted: Values, limits: Values) -> NDArray[np.int64]:
    """Return each record's strongest level (1 to K) whose prediction is in its limit, or 0."""
    within = predicted <= limits
    strongest = predicted.shape[1] - within[:, ::-1].argmax(axis=1)
    return np.where(within.any(axis=1), strongest, 0)


def _limits(predicted: Values, beyond: NDArray[np.bool_], allowed: int, share: float) -> Values:
    """Raise each level's limit, the strongest first, until its share of violations is used up."""
    limits = np.full(predicted.shape[1], -1.0)
    free = np.ones(len(predicted), bool)
    left = allowed
    for level in reversed(range(predicted.shape[1])):
        budget = int(left * share) if level else left
        pool = free if free.any() else np.ones_like(free)
        limits[level] = _highest_limit(predicted[pool, level], beyond[pool, level], budget)
        taken = free & (predicted[:, level] <= limits[level])
        left -= int(beyond[taken, level].sum())
        free &= ~taken
    return limits


def _highest_limit(predicted: Values, beyond: NDArray[np.bool_], budget: int) -> float:
    """Return the highest limit under which at most ``budget`` records lose more than the bound."""
    order = np.argsort(predicted, kind="stable")
    ranked = predicted[order]
    over = np.flatnonzero(np.cumsum(beyond[order]) > budget)
    if len(over) == 0:
        return float(ranked[-1]) if len(ranked) else -1.0
    below = ranked[ranked < ranked[over[0]]]
    return float(below[-1]) if len(below) else -1.0


def _mean_gain(predicted: Values, limits: Values, gains: tuple[float, ...]) -> float:
    return float(np.array([1.0, *gains])[choose(predicted, limits)].mean())
