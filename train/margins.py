"""Margins that make the device keep its promise at any bound: what to add to each predicted loss.

A level is taken if its predicted loss plus its margin is within the bound; bound less margin is the
limit of its predictions. The limits are fitted in two steps, each on records of its own.

Records that the heads were not fitted on say how likely a level loses more than a bound, given its
prediction: a logistic curve over the logarithms of both. Limits at a bound then hang on one number,
the risk: each level's limit is where that probability reaches the risk, times what the level may
claim of it.

The hold-out says how high the risk may be, by conformal risk control (Angelopoulos et al., 2022):
the highest with (violations + 1) / (records + 1) <= rate keeps the rate on new records as well, in
expectation over the records it was found on. A record counts as a violation from the lowest risk on
at which it is sent at a level that loses more than the bound: that can only become more as the risk
rises, as the method demands.

Between two knots the device's margins, and so the limits, are linear. Each such interval is parted
into cells, and a knot takes the lowest risk of its cells. As neighbours then differ, what is found
is held once more against all that may be sent at any bound of a cell, and lowered where it is more.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynadeep.codegen.numerics import ERROR_ONE
from dynadeep.train.errors import TrainError

Values = NDArray[np.float64]
Ints = NDArray[np.int64]

KNOTS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1.0, 1.2, 1.5, 1.9)
"""Bounds at which margins are given. At the first and below nothing is compressed."""

CELLS = 16
RISKS = np.geomspace(1e-4, 10, 200)
LARGEST_LIMIT = 64.0
"""Half of the largest error, which stands for all that is larger: no limit may admit it."""

WEAKEST, BETWEEN, STRONGEST = 1.25, 0.35, 1.0
"""What levels may claim of the risk, found on the hold-out: gain by records and by bytes alike."""

LEAST_PREDICTION = 1e-3
LEAST_SLOPE = 0.1
NEWTON_STEPS = 30


@dataclass(frozen=True)
class HeldOut:
    """What N held-out records of S units (segments, or 1) are foreseen to lose, and do."""

    predicted: Values  # [N, S, K], not negative
    losses: Values  # [N, S, K]

    def __post_init__(self) -> None:
        if self.predicted.ndim != 3 or self.losses.shape != self.predicted.shape:
            raise TrainError(
                f"margins: predictions {list(self.predicted.shape)}, losses "
                f"{list(self.losses.shape)}: one of each per record, unit and level is needed."
            )

    def first_broken(self, limits: Values, bound: float) -> Ints:
        """Return at which of R risks, ascending, a unit is first sent and loses over ``bound``.

        ``limits`` are those of each risk, [R, K], and rise with it; R stands for at none, [N, S].
        """
        within = [
            np.searchsorted(limits[:, level], self.predicted[..., level])
            for level in range(limits.shape[1])
        ]
        reached = np.stack(within, axis=2)
        broken = (self.losses > bound) & (reached < _least_stronger(reached, len(limits)))
        return np.asarray(np.where(broken, reached, len(limits)).min(axis=2))

    def most_broken(self, lowest: Values, highest: Values, bound: float) -> float:
        """Return how many records may at most lose over ``bound`` by limits in a box, [K] each.

        A record of several units counts by the share of those.
        """
        surely = _least_stronger(np.where(self.predicted <= lowest, 0, 1), 1) == 0
        broken = (self.predicted <= highest) & (self.losses > bound) & ~surely
        return float(broken.any(axis=2).mean(axis=1).sum())


def _least_stronger(values: Ints, otherwise: int) -> Ints:
    """Return the least value of all stronger levels, [N, S, K]; of the strongest, ``otherwise``."""
    least = np.minimum.accumulate(values[..., ::-1], axis=2)[..., ::-1]
    return np.concatenate([least[..., 1:], np.full_like(least[..., :1], otherwise)], axis=2)


def knots_for(bound: float) -> tuple[float, ...]:
    """Return the bounds at which margins are given, so that the promise holds at ``bound`` too."""
    first = min(KNOTS[0], bound / 2)
    return tuple(sorted({first, *KNOTS[1:], *([bound] if bound > KNOTS[-1] else [])}))


def fit_margins(
    shaping: HeldOut,
    proving: HeldOut,
    *,
    bounds: Sequence[float] = KNOTS,
    rate: float,
) -> Values:
    """Return margins [M, K], levels ordered from the weakest compression to the strongest.

    Args:
        shaping: records that say how limits rise with the risk.
        proving: other records, which say how high it may be.
        bounds: the M bounds to give margins at, ascending and over 0; nothing is compressed at the
            first and below.
        rate: the wanted share of records, or of their units, that are compressed and lose more than
            the bound, at any bound from the first to the last.

    Raises:
        TrainError: the arrays do not fit each other, or there are too few records for the rate.
    """
    _check(shaping, proving, bounds)
    proof = Proof(proving, _allowed(len(proving.predicted), rate))
    highest = min(float(shaping.predicted.max()), LARGEST_LIMIT)
    slack = (highest + 1) * 2**-14  # more than the device's fraction of 16 bits may be off
    nothing = -2 * slack  # a limit that no prediction is within
    paths = np.insert(_paths(shaping, bounds, highest), 0, nothing, axis=1)
    paths[0] = nothing
    cells = _cells(bounds)
    risks = np.full(len(bounds), len(RISKS))
    for cell in cells:
        highest_risk = proof.highest_risk(cell.of(paths, cell.end), cell.bound)
        risks[cell.knots] = np.minimum(risks[cell.knots], highest_risk)
    limits = _lowered(proof, paths, risks, cells, slack)
    margins = np.asarray(bounds)[:, None] - limits
    return np.asarray(np.ceil(margins * ERROR_ONE) / ERROR_ONE)


@dataclass(frozen=True)
class Proof:
    """The records that prove limits, and how many of them may break the promise."""

    held_out: HeldOut
    allowed: float

    def highest_risk(self, limits: Values, bound: float) -> int:
        """Return the index of the highest risk that keeps the rate, by the limits [R, K] of each.

        Those of the first admit nothing.
        """
        first = self.held_out.first_broken(limits, bound)
        broken = np.bincount(first.ravel(), minlength=len(limits))[: len(limits)] / first.shape[1]
        return int(np.searchsorted(broken.cumsum(), self.allowed, side="right")) - 1

    def holds(self, lowest: Values, highest: Values, bound: float) -> bool:
        """Return whether limits anywhere in a box, [K] each, keep the rate."""
        return self.held_out.most_broken(lowest, highest, bound) <= self.allowed


@dataclass(frozen=True)
class Cell:
    """A part of the bounds between two knots: from ``bound``, the shares ``start`` to ``end``."""

    knots: slice
    bound: float
    start: float
    end: float

    def of(self, limits: Values, share: float) -> Values:
        """Return the limits [..., K] that a share of the way from knot to knot has, of [M, ...]."""
        low, high = limits[self.knots]
        return np.asarray(low * (1 - share) + high * share)


def _cells(bounds: Sequence[float]) -> list[Cell]:
    return [
        Cell(
            slice(knot, knot + 2),
            low + (high - low) * part / CELLS,
            part / CELLS,
            (part + 1) / CELLS,
        )
        for knot, (low, high) in enumerate(itertools.pairwise(bounds))
        for part in range(CELLS)
    ]


def _lowered(
    proof: Proof, paths: Values, risks: Ints, cells: Sequence[Cell], slack: float
) -> Values:
    """Return limits [M, K] of these risks [M] or lower ones, that keep the rate at every bound.

    Two knots of unlike risk have limits between them that are of no risk, so what is found for
    each is held against all that is sent from a cell; where that is too much both knots take less.
    """
    while True:
        at_risks = paths[np.arange(len(risks)), risks]
        limits = np.minimum.accumulate(at_risks[::-1])[::-1]
        wrong = [
            cell.knots
            for cell in cells
            if not proof.holds(
                cell.of(limits, cell.start) - slack, cell.of(limits, cell.end) + slack, cell.bound
            )
        ]
        if not wrong:
            return np.asarray(limits)
        lower = np.zeros(len(risks), np.int64)
        for knots in wrong:
            lower[knots] = 1
        risks = np.maximum(risks - lower, 0)


def _check(shaping: HeldOut, proving: HeldOut, bounds: Sequence[float]) -> None:
    if shaping.predicted.shape[2] != proving.predicted.shape[2] or not len(shaping.predicted):
        raise TrainError(
            f"margins: predictions {list(shaping.predicted.shape)} and "
            f"{list(proving.predicted.shape)}: records of the same levels are needed on both sides."
        )
    if bounds[0] <= 0 or any(low >= high for low, high in itertools.pairwise(bounds)):
        raise TrainError(f"margins: bounds {list(bounds)} must ascend from over 0.")


def _allowed(count: int, rate: float) -> float:
    """Return how many of ``count`` records may break the promise: (n + 1) / (count + 1) <= rate."""
    if rate <= 0:
        raise TrainError(
            f"violation rate {rate:g}: no number of records can show it. Allow one above 0."
        )
    allowed = rate * (count + 1) - 1 + 1e-9
    if allowed < 0:
        raise TrainError(
            f"violation rate {rate:g} from {count} records: at least {int(np.ceil(1 / rate)) - 1} "
            "are needed. Hold out more, or allow a higher rate."
        )
    return allowed


def _paths(shaping: HeldOut, bounds: Sequence[float], highest: float) -> Values:
    """Return the limits at each bound and risk, [M, R, K]; they rise with both."""
    shares = _shares(shaping.losses.shape[2])
    columns = []
    for level, share in enumerate(shares):
        predicted, losses = shaping.predicted[..., level], shaping.losses[..., level]
        start, slope, by_bound = _curve(predicted.ravel(), losses.ravel(), bounds)
        risk = np.minimum(RISKS * share, 1 - 1e-9)
        log_odds = np.log(risk / (1 - risk))
        limits = (log_odds - start + by_bound * np.log(bounds)[:, None]) / slope
        columns.append(np.minimum(np.exp(np.minimum(limits, 20)), highest))
    return np.stack(columns, axis=2)


def _shares(levels: int) -> Values:
    """Return what part of the risk each level may claim, weakest compression first.

    Sending a record at all saves most, and then sending it at the strongest level. What that level
    refuses is seldom safe at one in between: it gains less for nearly the same risk.
    """
    weaker = [WEAKEST, *[BETWEEN] * levels][: levels - 1]
    return np.array([*weaker, STRONGEST])


def _curve(predicted: Values, losses: Values, bounds: Sequence[float]) -> Values:
    """Fit the probability of a loss over a bound, sigmoid(a + b log(predicted) - c log(bound)).

    Return a, b, c; b and c are positive. Few losses over any bound leave them near 0, 1, 1: there
    the ratio of both decides. Newton's method on the likelihood, with a normal prior of variance 1.
    """
    log_predicted = np.log(np.maximum(predicted, LEAST_PREDICTION))
    parts = np.broadcast_arrays(1.0, log_predicted[:, None], -np.log(bounds))
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
