"""Table I: every way to compress, at one bound, with the same figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import decisions, points
from dynadeep.train.evaluation.outcomes import Floats, Ints, Outcomes, TaskOutcome
from dynadeep.train.evaluation.points import Case, Point
from dynadeep.train.evaluation.published import MATCHED_GAIN, ORACLES

BOUND = 0.75
DYNAMIC_DEEP = "Dynamic-Deep"
DEFLATE, LOSSLESS = "DEFLATE (LZ77)", 'level "none" for all'


@dataclass(frozen=True)
class Baselines:
    """What Dynamic-Deep is held against, on the same N records in the same order.

    ``deflate_bytes`` is int [N] (``lz77.deflate_bytes``). ``codecs`` compress every record at
    their only level, as CAE32 does. ``transforms`` are, by transform and level, codecs that get as
    many bytes a segment as that level.
    """

    deflate_bytes: Ints
    codecs: Mapping[str, Outcomes] = field(default_factory=dict)
    transforms: Mapping[str, Mapping[str, Outcomes]] = field(default_factory=dict)

    @property
    def fixed(self) -> dict[str, Outcomes]:
        """All codecs that decide nothing, by what they are called."""
        budgets = {
            f"{transform}, {codec.codes[0]} bytes": codec
            for transform, by_level in self.transforms.items()
            for codec in by_level.values()
        }
        return {**self.codecs, **budgets}


@dataclass(frozen=True)
class Row:
    """A way to compress, and what it comes to."""

    name: str
    point: Point


def oracles(outcomes: Outcomes) -> dict[str, tuple[int, ...]]:
    """Return what oracles may take: all of a codec's levels, and the published sets that it has.

    Levels count from 1, the weakest. The keys name them, as "{64, 32, 1}", strongest first.
    """
    names = outcomes.level_names[1:]
    sets = [names, *(s for s in ORACLES if set(s) <= set(names))]
    return {levels_text(levels): tuple(names.index(name) + 1 for name in levels) for levels in sets}


def levels_text(levels: Sequence[str]) -> str:
    """Return a set of levels as the publication writes it: their gains, and 1 for none."""
    return f"{{{', '.join([*reversed(levels), '1'])}}}"


def rows(outcomes: Outcomes, baselines: Baselines, task: str, promise: PromiseKind) -> list[Row]:
    """Return Table I of a task: lossless, always the same, by the heads, and by the oracles."""
    at = _At(outcomes, task, promise)
    measured = outcomes.task(task)
    every = enumerate(outcomes.level_names[1:], start=1)
    return [
        Row(DEFLATE, at.lossless(baselines.deflate_bytes)),
        Row(LOSSLESS, at.lossless(outcomes.wire_bytes[:, 0])),
        *_fixed(baselines.fixed, task, promise),
        *(Row(f"level {name} for all", at.always(level)) for level, name in every),
        *_by_heads(at, measured),
        *(
            Row(
                f"oracle {name}",
                at.point(decisions.by_oracle(measured, promise, BOUND, allowed)),
            )
            for name, allowed in oracles(outcomes).items()
        ),
    ]


def check(outcomes: Outcomes, baselines: Baselines) -> None:
    """Raise DataError unless the baselines are of the same records."""
    if baselines.deflate_bytes.shape != (outcomes.records,):
        raise DataError(
            f"deflate_bytes: expected one size for each of {outcomes.records} records, "
            f"found {list(baselines.deflate_bytes.shape)}."
        )
    for name, codec in baselines.fixed.items():
        if codec.names != outcomes.names or not np.array_equal(codec.labels, outcomes.labels):
            raise DataError(
                f"{name}: not of the same records in the same order. Evaluate it again."
            )


def lossless(outcomes: Outcomes, case: Case, wire_bytes: Ints) -> Point:
    """Return the point of a codec that loses nothing; its mean gain is that of records' ratios."""
    none = decisions.always(outcomes.records, decisions.NONE)
    sent = points.sent_at(outcomes, case.task, case.promise, none)
    gain: Floats = outcomes.raw_bytes / wire_bytes
    return points.point(replace(sent, gain=gain, wire_bytes=wire_bytes), case)


@dataclass(frozen=True)
class _At:
    """Points of one codec, task and promise at Table I's bound."""

    outcomes: Outcomes
    task: str
    promise: PromiseKind

    def case(self, bound: float = BOUND) -> Case:
        return Case(self.task, self.outcomes.precision, self.promise, bound)

    def point(self, levels: Ints, bound: float = BOUND) -> Point:
        """Return the point of a level a record, int [N]."""
        return points.decided(self.outcomes, self.case(bound), levels)

    def always(self, level: int) -> Point:
        """Return the point of one level for all."""
        return self.point(decisions.always(self.outcomes.records, level))

    def lossless(self, wire_bytes: Ints) -> Point:
        """Return the point of a lossless codec that takes these bytes, int [N]."""
        return lossless(self.outcomes, self.case(), wire_bytes)


def _fixed(codecs: Mapping[str, Outcomes], task: str, promise: PromiseKind) -> Iterator[Row]:
    """Yield the codecs that decide nothing, where they were measured on this task."""
    for name, codec in codecs.items():
        if task in codec.tasks:
            yield Row(name, _At(codec, task, promise).always(1))


def _by_heads(at: _At, measured: TaskOutcome) -> Iterator[Row]:
    """Yield Dynamic-Deep with its strongest level, with all, and at the published gain."""
    strongest = at.outcomes.level_names[-1]
    only = (len(at.outcomes.codes),)
    yield Row(
        f"Dynamic-Deep {levels_text([strongest])}",
        at.point(decisions.by_heads(measured, BOUND, only)),
    )
    yield Row(DYNAMIC_DEEP, at.point(decisions.by_heads(measured, BOUND)))
    matching = decisions.bound_for_gain(measured, at.outcomes.gains, MATCHED_GAIN)
    if matching is not None:
        point = at.point(decisions.by_heads(measured, matching), matching)
        yield Row(f"Dynamic-Deep at mean CG {MATCHED_GAIN}", point)
