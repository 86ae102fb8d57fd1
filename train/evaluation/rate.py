"""Distortion and both tasks against the bytes that a segment takes, beside classical codecs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter

from dynadeep.train.evaluation import decisions, points
from dynadeep.train.evaluation.drawing import BLUE, GREEN, GREY, ORANGE, PURPLE, STYLE, save
from dynadeep.train.evaluation.outcomes import RHYTHM, SEGMENT_SAMPLES, Outcomes
from dynadeep.train.evaluation.points import Case, Point
from dynadeep.train.evaluation.provenance import Provenance
from dynadeep.train.evaluation.table1 import BOUND, Baselines

LEVELS, BY_BOUND = "Dynamic-Deep, one level for all", "Dynamic-Deep, level by the bound"
PANELS = {"prdn": "PRDN, %", "f1": "F1 of the rhythm", "f1_rpeaks": "F1 of the R peaks"}
COLOURS = (ORANGE, GREEN, PURPLE, GREY)
TICKS = (31, 62, 125, 250, 500, 1000)


@dataclass(frozen=True)
class Rated:
    """A point, and the bytes that a segment takes on average, whole packets."""

    size: float
    point: Point


def rated(outcomes: Outcomes, baselines: Baselines) -> dict[str, list[Rated]]:
    """Return what each level of each codec comes to where all is sent at it."""
    many = {LEVELS: [_always(outcomes, level) for level in range(1, 1 + len(outcomes.codes))]}
    for transform, by_level in baselines.transforms.items():
        many[transform] = [_always(codec, 1) for codec in by_level.values()]
    return many


def _always(outcomes: Outcomes, level: int) -> Rated:
    case = Case(RHYTHM, outcomes.precision, "added", BOUND)
    point = points.decided(outcomes, case, decisions.always(outcomes.records, level))
    return Rated(_size(outcomes, point), point)


def _size(outcomes: Outcomes, point: Point) -> float:
    """Return the bytes of a segment, the padding of a record's last one included."""
    samples = outcomes.raw_bytes // 2
    segments = -(-samples // SEGMENT_SAMPLES)
    return float(outcomes.raw_bytes.sum() / segments.sum() / point["byte_cg"].value)


def by_bound(outcomes: Outcomes) -> list[Rated]:
    """Return what the rhythm's heads come to at each bound, one decision a record."""
    curve = points.curve(outcomes, RHYTHM, "added")
    return [Rated(_size(outcomes, point), point) for point in curve]


def draw_rate(outcomes: Outcomes, baselines: Baselines, path: Path, provenance: Provenance) -> None:
    """Draw PRDN and both F1 against bytes a segment; bars are 95 % intervals."""
    fixed, adapted = rated(outcomes, baselines), by_bound(outcomes)
    none = points.decided(
        outcomes,
        Case(RHYTHM, outcomes.precision, "added", BOUND),
        decisions.always(outcomes.records, decisions.NONE),
    )
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 4.1), layout="constrained")
        axes = figure.subplots(1, len(PANELS))
        for axis, (name, label) in zip(axes, PANELS.items(), strict=True):
            _fixed(axis, fixed, name)
            if name != "prdn":
                _adapted(axis, adapted, name)
                raw = none[name].value
                axis.axhline(raw, color="black", linewidth=0.9, linestyle=":", label="raw")
            axis.set_ylabel(label)
            _bytes_axis(axis)
        axes[0].set_ylim(bottom=0)
        handles, labels = axes[1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
        caption = "602 test records of CinC 2017 as int8; packets whole; bars: 95 % intervals"
        save(figure, path, provenance, caption.replace("602", str(outcomes.records)))


def _fixed(axis: Axes, codecs: Mapping[str, Sequence[Rated]], name: str) -> None:
    """Draw the codecs that send all at one level."""
    for (label, rated_points), colour, mark in zip(
        codecs.items(), (BLUE, *COLOURS), ("o", "s", "^", "v", "D"), strict=False
    ):
        values = np.array([rated_point.point[name].value for rated_point in rated_points])
        ends = [
            (rated_point.point[name].low, rated_point.point[name].high)
            for rated_point in rated_points
        ]
        spread = np.abs(np.array(ends).T - values)
        sizes = [rated_point.size for rated_point in rated_points]
        axis.errorbar(sizes, values, spread, color=colour, marker=mark, markersize=4.5, label=label)


def _adapted(axis: Axes, rated_points: Sequence[Rated], name: str) -> None:
    """Draw what the bound makes of it, from all raw on the right to all at the strongest level."""
    ordered = sorted(rated_points, key=lambda rated_point: rated_point.size)
    sizes, values = [o.size for o in ordered], [o.point[name].value for o in ordered]
    axis.plot(sizes, values, "--", color=BLUE, linewidth=1.1, label=BY_BOUND)


def _bytes_axis(axis: Axes) -> None:
    """Scale the bytes by octaves."""
    axis.set_xscale("log", base=2)
    axis.set_xlabel(f"bytes a segment (raw: {2 * SEGMENT_SAMPLES})")
    axis.set_xticks(TICKS)
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_locator(NullLocator())
