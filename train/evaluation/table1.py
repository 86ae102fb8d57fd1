"""Table I: every way to compress, at one bound, with the same figures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import decisions, points
from dynadeep.train.evaluation.outcomes import Floats, Ints, Outcomes
from dynadeep.train.evaluation.points import Point, Sent
from dynadeep.train.evaluation.published import MATCHED_GAIN

BOUND = 0.75
ORACLES: dict[str, tuple[int, ...]] = {
    "oracle {64, 32, 1}": (1, 2),
    "oracle {64, 1}": (2,),
    "oracle {32, 1}": (1,),
}
TWO_LEVELS = "Dynamic-Deep {64, 1}"
DEFLATE, LOSSLESS = "DEFLATE (LZ77)", 'level "none" for all'


@dataclass(frozen=True)
class Baselines:
    """What Dynamic-Deep is held against, on the same N records in the same order.

    ``deflate_bytes`` is int [N] (``lz77.deflate_bytes``). ``codecs`` compress every record at
    their strongest level, such as CAE32 and CAE64 with one level each.
    """

    deflate_bytes: Ints
    codecs: Mapping[str, Outcomes] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A way to compress, and what it comes to."""

    name: str
    point: Point


def rows(outcomes: Outcomes, baselines: Baselines, task: str) -> list[Row]:
    """Return Table I of a task: lossless, fixed, by the heads, and by the oracles."""
    return [
        Row(DEFLATE, _lossless(outcomes, task, baselines.deflate_bytes)),
        Row(LOSSLESS, _lossless(outcomes, task, outcomes.wire_bytes[:, 0])),
        *_fixed(baselines.codecs, task),
        *_by_heads(outcomes, task),
        *(
            Row(name, _at(outcomes, task, decisions.by_oracle(outcomes.task(task), BOUND, levels)))
            for name, levels in ORACLES.items()
        ),
    ]


def check(outcomes: Outcomes, baselines: Baselines) -> None:
    """Raise DataError unless the baselines are of the same records."""
    if baselines.deflate_bytes.shape != (outcomes.records,):
        raise DataError(
            f"deflate_bytes: expected one size for each of {outcomes.records} records, "
            f"found {list(baselines.deflate_bytes.shape)}."
        )
    for name, codec in baselines.codecs.items():
        if codec.names != outcomes.names or not np.array_equal(codec.labels, outcomes.labels):
            raise DataError(
                f"{name}: not of the same records in the same order. Evaluate it again."
            )


def lossless(outcomes: Outcomes, task: str, wire_bytes: Ints) -> Sent:
    """Return what records come to that lose nothing; the mean gain is that of their ratios."""
    sent = points.sent_at(outcomes, task, decisions.always(outcomes.records, decisions.NONE))
    gain: Floats = outcomes.raw_bytes / wire_bytes
    return Sent(**{**vars(sent), "gain": gain, "wire_bytes": wire_bytes})


def _lossless(outcomes: Outcomes, task: str, wire_bytes: Ints) -> Point:
    """Return the point of a lossless codec."""
    return points.point(lossless(outcomes, task, wire_bytes), task, outcomes.precision, BOUND)


def _fixed(codecs: Mapping[str, Outcomes], task: str) -> Iterator[Row]:
    """Yield the codecs that decide nothing, where they were measured on this task."""
    for name, codec in codecs.items():
        if task in codec.tasks:
            levels = decisions.always(codec.records, len(codec.codes))
            yield Row(name, _at(codec, task, levels))


def _by_heads(outcomes: Outcomes, task: str) -> Iterator[Row]:
    """Yield Dynamic-Deep with two levels, with all, and where it meets the published gain."""
    measured = outcomes.task(task)
    yield Row(TWO_LEVELS, _at(outcomes, task, decisions.by_heads(measured, BOUND, (2,))))
    yield Row("Dynamic-Deep", _at(outcomes, task, decisions.by_heads(measured, BOUND)))
    matching = decisions.bound_for_gain(
        decisions.with_margins(measured), outcomes.gains, MATCHED_GAIN
    )
    if matching is not None:
        levels = decisions.by_heads(measured, matching)
        name = f"Dynamic-Deep at mean CG {MATCHED_GAIN}"
        yield Row(name, points.decided(outcomes, task, matching, levels))


def _at(outcomes: Outcomes, task: str, levels: Ints) -> Point:
    """Return the point of these levels at Table I's bound."""
    return points.decided(outcomes, task, BOUND, levels)
