"""The figures of one way to decide, over all records: a row of every table, a point of every plot.

| figure | meaning |
|---|---|
| f1 | rhythm: mean over classes weighted by support; rpeaks: all peaks against the raw record's |
| f1_rpeaks | the peaks' F1 beside the rhythm's, where both are measured |
| mean_cg | the published accounting: mean over records of samples in / code samples out, 1 if raw |
| byte_cg | all bytes in / all bytes on the wire |
| violations | share of all records that are compressed and whose true loss is over the bound |
| effective_loss | mean over all records of the true loss, a raw one counting 0 (as published) |
| excess | mean over the compressed records of true loss less the raw record's own |
| share_<level> | share of records (or segments) sent at a level |
| prd, prdn | mean over the compressed records, percent |

True loss is the one that a promise is about: the task's own (``loss``), or what compression adds
(``added``). Both are counted whatever the device decides by, which is its checkpoint's own promise.
What no record defines (the excess where nothing is compressed) is NaN here and null in JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import bootstrap, decisions
from dynadeep.train.evaluation.bootstrap import Interval, ratio
from dynadeep.train.evaluation.outcomes import RPEAKS, Floats, Ints, Outcomes

BOUNDS = tuple(sorted([*(step / 10 for step in range(1, 20)), 0.75]))
Decision = Literal["record", "segment"]
FIGURES = (
    "f1",
    "f1_rpeaks",
    "mean_cg",
    "byte_cg",
    "violations",
    "effective_loss",
    "excess",
    "prd",
    "prdn",
)


@dataclass(frozen=True)
class Sent:
    """What each of N records came to, once sent at the level decided for it (or mixed levels)."""

    gain: Floats  # float [N], published accounting
    raw_bytes: Ints  # int [N]
    wire_bytes: Ints  # int [N]
    loss: Floats  # float [N], true loss of what was decoded; the raw loss where nothing was lost
    raw_loss: Floats  # float [N]
    compressed: NDArray[np.bool_]  # bool [N], whether any part of it was
    prd: Floats  # float [N], 0 where nothing was lost
    prdn: Floats  # float [N]
    shares: Mapping[str, Floats]  # level name -> float [N], the part of the record sent so
    labels: Ints  # int [N]
    predicted: Ints | None = None  # int [N], class of what was decoded
    peaks: Ints | None = None  # int [N, 3]

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class Case:
    """What a row is about: its records are sent at levels that were decided on somehow."""

    task: str
    precision: str
    promise: PromiseKind  # whose loss is held against the bound
    bound: float
    decision: Decision = "record"


@dataclass(frozen=True)
class Point(Case):
    """One row: its case, and every figure with its interval."""

    figures: Mapping[str, Interval] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Interval:
        return self.figures[name]

    def row(self) -> dict[str, str | float]:
        """Return the point as a flat row: each figure as ``name``, ``name_lo``, ``name_hi``."""
        row = {case_field.name: getattr(self, case_field.name) for case_field in fields(Case)}
        for name, figure in self.figures.items():
            row |= {name: figure.value, f"{name}_lo": figure.low, f"{name}_hi": figure.high}
        return row


def sent_at(outcomes: Outcomes, task: str, promise: PromiseKind, levels: Ints) -> Sent:
    """Return what every record comes to at the level decided for it, int [N]."""
    measured, every = outcomes.task(task), np.arange(outcomes.records)
    lost, nothing = measured.lost(promise), np.zeros(outcomes.records)
    prd, prdn = (np.column_stack([nothing, percent]) for percent in (outcomes.prd, outcomes.prdn))
    probabilities, peaks = measured.probabilities, measured.peaks
    return Sent(
        gain=outcomes.gains[levels],
        raw_bytes=outcomes.raw_bytes,
        wire_bytes=outcomes.wire_bytes[every, levels],
        loss=lost[every, levels],
        raw_loss=lost[:, 0],
        compressed=levels > decisions.NONE,
        prd=prd[every, levels],
        prdn=prdn[every, levels],
        shares={
            name: (levels == index).astype(float) for index, name in enumerate(outcomes.level_names)
        },
        labels=outcomes.labels,
        predicted=None if probabilities is None else probabilities[every, levels].argmax(axis=1),
        peaks=None if peaks is None else peaks[every, levels],
    )


def point(sent: Sent, case: Case) -> Point:
    """Return every figure of what was sent, with its interval over records."""
    figures = bootstrap.intervals(len(sent.gain), lambda weights: _figures(sent, case, weights))
    return Point(**vars(case), figures=figures)


def decided(outcomes: Outcomes, case: Case, levels: Ints) -> Point:
    """Return the point of a level per record, int [N]."""
    return point(sent_at(outcomes, case.task, case.promise, levels), case)


def curve(outcomes: Outcomes, task: str, promise: PromiseKind) -> list[Point]:
    """Return the heads' point at each bound, one decision a record."""
    measured = outcomes.task(task)
    return [
        decided(
            outcomes,
            Case(task, outcomes.precision, promise, bound),
            decisions.by_heads(measured, bound),
        )
        for bound in BOUNDS
    ]


def oracle_curve(
    outcomes: Outcomes, task: str, promise: PromiseKind, allowed: Sequence[int] | None = None
) -> list[Point]:
    """Return the point at each bound of an oracle that knows the losses of the allowed levels."""
    measured = outcomes.task(task)
    return [
        decided(
            outcomes,
            Case(task, outcomes.precision, promise, bound),
            decisions.by_oracle(measured, promise, bound, allowed),
        )
        for bound in BOUNDS
    ]


def _figures(sent: Sent, case: Case, weights: Floats) -> dict[str, Floats]:
    """Return every figure for each row of weights, [R, N] -> [R] each."""
    packed = sent.compressed.astype(float)
    columns = {
        "mean_cg": sent.gain,
        "violations": packed * (sent.loss > case.bound),
        "effective_loss": packed * sent.loss,
        **{f"share_{name}": share for name, share in sent.shares.items()},
    }
    parts = {
        "excess": packed * (sent.loss - sent.raw_loss),
        "prd": packed * sent.prd,
        "prdn": packed * sent.prdn,
    }
    every = [*columns.values(), *parts.values(), packed, sent.raw_bytes, sent.wire_bytes]
    # One product of matrices, [R, N] x [N, columns]: this is where the time goes.
    *sums, packed_count, raw, wire = (weights @ np.stack(every, axis=1)).T
    count = weights.sum(axis=1)
    means = {name: total / count for name, total in zip(columns, sums, strict=False)}
    among = zip(parts, sums[len(columns) :], strict=True)
    return {
        **_scores(sent, case.task, weights),
        **means,
        "byte_cg": ratio(raw, wire),
        **{name: ratio(total, packed_count) for name, total in among},
    }


def _scores(sent: Sent, task: str, weights: Floats) -> dict[str, Floats]:
    """Return the task's own F1 as "f1", and that of the peaks beside it, [R] each."""
    nothing = np.full(len(weights), np.nan)
    peaks = nothing if sent.peaks is None else bootstrap.peak_f1(weights, sent.peaks)
    if task == RPEAKS:
        return {"f1": peaks, "f1_rpeaks": peaks}
    if sent.predicted is None:
        raise DataError(f"{task}: F1 needs the probabilities of what was decoded. Pass them.")
    return {
        "f1": bootstrap.weighted_f1(weights, sent.labels, sent.predicted),
        "f1_rpeaks": peaks,
    }


def _check(sent: Sent) -> None:
    """Raise DataError unless all arrays have one finite row a record."""
    count = len(sent.labels)
    columns = {**vars(sent), **{f"shares[{k}]": v for k, v in sent.shares.items()}}
    for name, values in columns.items():
        if values is None or name == "shares":
            continue
        shape = (count, 3) if name == "peaks" else (count,)
        if values.shape != shape:
            raise DataError(f"{name}: expected shape {shape}, found {values.shape}.")
        if not np.isfinite(values).all():
            row = int(np.argwhere(~np.isfinite(values))[0][0])
            raise DataError(
                f"{name}: row {row} is not finite. Leave that record out, and count it."
            )
    if sent.compressed.dtype != np.bool_:
        raise DataError(f"compressed: expected bool, found {sent.compressed.dtype}.")
    if count == 0:
        raise DataError("expected at least 1 record, found 0.")
