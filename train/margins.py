"""Margins that make the device keep its promise at any bound: what to add to each predicted loss.

A level is taken if its predicted loss plus its margin is within the bound; bound less margin is the
limit of its predictions. The limits are fitted on records that neither the compressor nor its heads
were trained on, in two steps, each on records of its own.

The first half says how likely a level loses more than a bound, given its prediction: a logistic
curve over the logarithms of both. Limits at a bound then hang on one number, the risk: each level's
limit is where that probability reaches the risk, times what the level may claim of it.

The second half says how high the risk may be, by conformal risk control (Angelopoulos et al.,
2022): the highest with (violations + 1) / (records + 1) <= rate keeps the rate on new records as
well, in expectation over the records it was found on. What counts as a violation is any level
within its limit that loses more than the bound, sent or not. That can only become more where a
limit rises, as the method demands, so that lower limits than those found keep the rate too.

Between two knots the device's margins, and so the limits, are linear. Each such interval is parted
into cells, in which the limits of the upper end are held against the loss of the lower end: a cell
that keeps the rate so keeps it at every bound in it. A knot takes the lowest risk of its cells.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynadeep.codegen.numerics import ERROR_ONE
from dynadeep.train.errors import TrainError

Values = NDArray[np.float64]

KNOTS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0, 1.2, 1.5, 1.9)
"""Bounds at which margins are given. At the first and below nothing is compressed."""

CELLS = 16
RISKS = np.geomspace(1e-4, 10, 200)
LARGEST_LIMIT = 64.0
"""Half of the largest error, which stands for all that is larger: no limit may admit it."""

LEAST_PREDICTION = 1e-3
LEAST_SLOPE = 0.1
NEWTON_STEPS = 30


@dataclass(frozen=True)
class Held:
    """What N held-out records of S units (segments, or 1) are foreseen to lose, and do."""

    predicted: Values  # [N, S, K], not negative
    losses: Values  # [N, S, K]

    def __post_init__(self) -> None:
        if self.predicted.ndim != 3 or self.losses.shape != self.predicted.shape:
            raise TrainError(
                f"margins: predictions {list(self.predicted.shape)}, losses "
                f"{list(self.losses.shape)}: one of each per record, unit and level is needed."
            )

    def violations(self, limits: Values, bound: float) -> float:
        """Return how many records hold a level within its limit, [K], that loses over ``bound``.

        A record of several units counts by the share of those.
        """
        broken = ((self.predicted <= limits) & (self.losses > bound)).any(axis=2)
        return float(broken.mean(axis=1).sum())


def knots_for(bound: float) -> tuple[float, ...]:
    """Return the bounds at which margins are given, so that the promise holds at ``bound`` too."""
    first = min(KNOTS[0], bound / 2)
    return tuple(sorted({first, *KNOTS[1:], *([bound] if bound > KNOTS[-1] else [])}))


def fit_margins(
    shaping: Held,
    proving: Held,
    gains: Sequence[float],
    *,
    bounds: Sequence[float] = KNOTS,
    rate: float,
) -> Values:
    """Return margins [M, K], levels ordered from the weakest compression to the strongest.

    Args:
        shaping: records that say how limits rise with the risk.
        proving: other records, which say how high it may be.
        gains: compression gain of each level.
        bounds: the M bounds to give margins at, ascending and over 0; nothing is compressed at the
            first and below.
        rate: the wanted share of records, or of their units, that are compressed and lose more than
            the bound, at any bound from the first to the last.

    Raises:
        TrainError: the arrays do not fit each other, or there are too few records for the rate.
    """
    _check(shaping, proving, gains, bounds, rate)
    highest = min(float(shaping.predicted.max()), LARGEST_LIMIT)
    slack = (highest + 1) * 2**-14  # more than the device's fraction of 16 bits may be off
    paths = _paths(shaping, gains, bounds, highest)
    paths[:, 0] = -2 * slack
    allowed = rate * (len(proving.predicted) + 1) - 1 + 1e-9
    risks = np.full(len(bounds), len(RISKS) - 1)
    for knot, (low, high) in enumerate(itertools.pairwise(bounds)):
        for cell in range(CELLS):
            at = low + (high - low) * cell / CELLS
            part = (cell + 1) / CELLS
            limits = paths[:, knot] * (1 - part) + paths[:, knot + 1] * part + slack
            found = _highest_risk(proving, limits, at, allowed)
            risks[knot : knot + 2] = np.minimum(risks[knot : knot + 2], found)
    limits = np.stack([_limits(paths[:, m], index, slack) for m, index in enumerate(risks)])
    rising = np.minimum.accumulate(limits[::-1])[::-1]
    margins = np.asarray(bounds)[:, None] - rising
    return np.asarray(np.ceil(margins * ERROR_ONE) / ERROR_ONE)


def _check(
    shaping: Held, proving: Held, gains: Sequence[float], bounds: Sequence[float], rate: float
) -> None:
    levels = {shaping.predicted.shape[2], proving.predicted.shape[2], len(gains)}
    if len(levels) != 1 or not len(shaping.predicted):
        raise TrainError(
            f"margins: predictions {list(shaping.predicted.shape)} and "
            f"{list(proving.predicted.shape)}, {len(gains)} gains: records of the same levels are "
            "needed in both halves."
        )
    if bounds[0] <= 0 or any(low >= high for low, high in itertools.pairwise(bounds)):
        raise TrainError(f"margins: bounds {list(bounds)} must ascend from over 0.")
    count = len(proving.predicted)
    if rate * (count + 1) + 1e-9 < 1:
        raise TrainError(
            f"violation rate {rate:g} from {count} records: at least {int(np.ceil(1 / rate)) - 1} "
            "are needed. Hold out more, or allow a higher rate."
        )


def _paths(
    shaping: Held, gains: Sequence[float], bounds: Sequence[float], highest: float
) -> Values:
    """Return the limits at each risk and bound, [R, M, K]; they rise with both."""
    shares = _shares(gains)
    columns = []
    for level, share in enumerate(shares):
        predicted, losses = shaping.predicted[..., level], shaping.losses[..., level]
        start, slope, by_bound = _curve(predicted.ravel(), losses.ravel(), bounds)
        risk = np.minimum(RISKS * share, 1 - 1e-9)
        told = np.log(risk / (1 - risk))[:, None]
        limits = (told - start + by_bound * np.log(bounds)) / slope
        columns.append(np.minimum(np.exp(np.minimum(limits, 20)), highest))
    return np.stack(columns, axis=2)


def _shares(gains: Sequence[float]) -> Values:
    """Return what part of the risk each level may claim, the largest 1.

    The more a level gains over the next weaker one, the more risk it is worth. Mean gain counts
    the difference, bytes rather the ratio; this is the geometric mean of both.
    """
    ladder = np.array([1.0, *gains])
    worth = np.sqrt(np.diff(ladder) * np.diff(np.log2(ladder)))
    return np.asarray(worth / worth.max())


def _curve(predicted: Values, losses: Values, bounds: Sequence[float]) -> Values:
    """Fit the probability of a loss over a bound, sigmoid(a + b log(predicted) - c log(bound)).

    Return a, b, c; b and c are positive. Few losses over any bound leave them near 0, 1, 1: there
    the ratio of both decides. Newton's method on the likelihood, with a normal prior of variance 1.
    """
    seen = np.log(np.maximum(predicted, LEAST_PREDICTION))
    parts = np.broadcast_arrays(1.0, seen[:, None], -np.log(bounds))
    inputs = np.stack(parts, axis=2).reshape(-1, 3)
    over = (losses[:, None] > np.asarray(bounds)).ravel()
    prior = np.array([0.0, 1.0, 1.0])
    fitted = prior
    for _ in range(NEWTON_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(inputs @ fitted, -30, 30)))
        gradient = inputs.T @ (over - likely) / len(bounds) - (fitted - prior)
        spread = (inputs * (likely * (1 - likely))[:, None]).T @ inputs / len(bounds) + np.eye(3)
        fitted = fitted + np.linalg.solve(spread, gradient)
    return np.asarray(np.maximum(fitted, [-np.inf, LEAST_SLOPE, LEAST_SLOPE]))


def _highest_risk(proving: Held, limits: Values, bound: float, allowed: float) -> int:
    """Return the index of the highest risk, limits [R, K], that keeps the rate; -1 if none does."""
    low, high = -1, len(limits) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if proving.violations(limits[middle], bound) <= allowed:
            low = middle
        else:
            high = middle - 1
    return low


def _limits(paths: Values, index: int, slack: float) -> Values:
    """Return the limits [K] of one risk; where none keeps the rate, nothing is within them."""
    return paths[index] if index >= 0 else np.full(paths.shape[1], -2 * slack)
