"""Draw the figures against the bound, the loss of each level, and the costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.evaluation import cost, published, table1
from dynadeep.train.evaluation.cost import Codec, Prices
from dynadeep.train.evaluation.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    STYLE,
    TASK_TITLES,
    level_label,
    save,
)
from dynadeep.train.evaluation.levels import Level
from dynadeep.train.evaluation.outcomes import RHYTHM
from dynadeep.train.evaluation.points import Point
from dynadeep.train.evaluation.provenance import Provenance

ORACLE_LINES = ("-", "--", ":", "-.")
PUBLISHED_MARKS = ("o", "s", "^")

# Figure: label of its axis, factor.
PANELS = {
    "mean_cg": ("mean CG (published)", 1),
    "byte_cg": ("byte CG", 1),
    "effective_loss": ("effective loss (raw = 0)", 1),
    "violations": ("violations, % of records", 100),
}
PROMISE_LABELS: dict[PromiseKind, str] = {
    "loss": "bound on the task's own loss",
    "added": "bound on what compression adds to the loss",
}
_PUBLISHED_COLUMN = {"mean_cg": 0, "effective_loss": 1}


def draw_bounds(
    points: Sequence[Point],
    oracles: Mapping[str, Sequence[Point]],
    promise: PromiseKind,
    path: Path,
    provenance: Provenance,
) -> None:
    """Draw each figure against the bound, a column a task, with oracles and the paper's marks.

    ``points`` and ``oracles`` are of one precision and promise.
    """
    tasks = list(dict.fromkeys(p.task for p in points))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.2 + 3.3 * len(tasks), 10.4), layout="constrained")
        axes = figure.subplots(len(PANELS), len(tasks), squeeze=False, sharex=True, sharey="row")
        for row, (name, (label, factor)) in enumerate(PANELS.items()):
            axes[row, 0].set_ylabel(label)
            for axis, task in zip(axes[row], tasks, strict=True):
                _panel(axis, _of(points, task), name, factor)
                for line, (levels, oracle) in zip(ORACLE_LINES, oracles.items(), strict=False):
                    _oracle(axis, (line, f"oracle {levels}"), _of(oracle, task), name, factor)
                if task == RHYTHM and promise == "loss":
                    _published(axis, name)
            axes[row, 0].set_ylim(bottom=0)  # once all that shares the axis is drawn
        for column, task in enumerate(tasks):
            axes[0, column].set_title(TASK_TITLES[task])
            axes[-1, column].set_xlabel(PROMISE_LABELS[promise])
            axes[-1, column].set_xlim(0, 2)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
        save(figure, path, provenance, "Figures against the bound; bands: 95 % intervals")


def _panel(axis: Axes, points: Sequence[Point], name: str, factor: float) -> None:
    """Draw a task's figure for both ways to decide."""
    for unit, colour in (("segment", ORANGE), ("record", BLUE)):
        decided = sorted((p for p in points if p.decision == unit), key=lambda p: p.bound)
        _line(axis, decided, name, factor, colour=colour, label=f"one decision a {unit}")


def _of(points: Sequence[Point], task: str) -> list[Point]:
    """Return a task's points."""
    return [p for p in points if p.task == task]


def _line(
    axis: Axes, points: Sequence[Point], name: str, factor: float, *, colour: str, label: str
) -> None:
    """Draw a figure of points with the band of its interval, if there are points."""
    if not points:
        return
    bounds = [p.bound for p in points]
    low, high = ([factor * getattr(p[name], end) for p in points] for end in ("low", "high"))
    axis.fill_between(bounds, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(bounds, [factor * p[name].value for p in points], color=colour, label=label)


def _oracle(
    axis: Axes, style: tuple[str, str], points: Sequence[Point], name: str, factor: float
) -> None:
    """Draw an oracle as a thin grey line; it never violates, so nothing is drawn of that."""
    if name == "violations":
        return
    line, label = style
    bounds, values = [p.bound for p in points], [factor * p[name].value for p in points]
    axis.plot(bounds, values, line, color=GREY, linewidth=1.1, label=label)


def _published(axis: Axes, name: str) -> None:
    """Mark the paper's oracles where it gives the figure."""
    if name not in _PUBLISHED_COLUMN:
        return
    for mark, (levels, marks) in zip(PUBLISHED_MARKS, published.ORACLES.items(), strict=True):
        axis.plot(
            list(marks),
            [values[_PUBLISHED_COLUMN[name]] for values in marks.values()],
            mark,
            color="black",
            fillstyle="none",
            markersize=4.5,
            markeredgewidth=0.9,
            label=f"oracle {table1.levels_text(levels)}, paper",
        )


def draw_levels(levels: Sequence[Level], path: Path, provenance: Provenance) -> None:
    """Draw the quartiles and the mean of each level's own loss, a panel a task."""
    levels = [level for level in levels if level.promise == "loss"]
    tasks = list(dict.fromkeys(level.task for level in levels))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.2 + 3.3 * len(tasks), 3.9), layout="constrained")
        axes = figure.subplots(1, len(tasks), squeeze=False)[0]
        for axis, task in zip(axes, tasks, strict=True):
            _boxes(axis, [level for level in levels if level.task == task], task)
        axes[0].set_ylabel("task loss of a record")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(handles))
        save(figure, path, provenance, "Box: quartiles; bar: median; dot: mean, 95 % interval")


def _boxes(axis: Axes, levels: Sequence[Level], task: str) -> None:
    """Draw a task's boxes side by side: the paper's (rhythm only), then each precision's."""
    names = list(dict.fromkeys(level.level for level in levels))
    precisions = list(dict.fromkeys(level.precision for level in levels))
    groups = [*(["paper"] if task == RHYTHM else []), *precisions]
    width = 0.8 / len(groups)
    colours = {"paper": GREY, "float": ORANGE, "int8": BLUE}
    for index, group in enumerate(groups):
        for place, name in enumerate(names):
            x = place + (index - (len(groups) - 1) / 2) * width
            label = group if place == 0 else None
            if group == "paper":
                quartiles = published.QUARTILES.get(name)
                if quartiles is not None:
                    _box(axis, x, width, quartiles, None, colour=colours[group], label=label)
                continue
            level = next(v for v in levels if v.level == name and v.precision == group)
            values = tuple(level.figures[key].value for key in ("q1", "median", "q3", "mean"))
            mean = level.figures["mean"]
            _box(axis, x, width, values, (mean.low, mean.high), colour=colours[group], label=label)
    axis.set_xticks(range(len(names)), [level_label(name) for name in names])
    axis.tick_params(axis="x", length=0)
    axis.set_title(TASK_TITLES[task])
    axis.set_ylim(bottom=0)


def _box(
    axis: Axes,
    x: float,
    width: float,
    quartiles: tuple[float, ...],
    mean: tuple[float, float] | None,
    *,
    colour: str,
    label: str | None,
) -> None:
    """Draw one box from (Q1, median, Q3, mean) and the interval of its mean."""
    q1, median, q3, middle = quartiles
    axis.bar(x, q3 - q1, width * 0.8, q1, color=colour, alpha=0.35, label=label)
    axis.hlines(median, x - width * 0.4, x + width * 0.4, color=colour, linewidth=2)
    if mean is not None:
        axis.vlines(x, *mean, color=colour, linewidth=1.2)
    axis.plot(x, middle, "o", color=colour, markersize=4)


def draw_cost(codecs: Sequence[Codec], prices: Prices, path: Path, provenance: Provenance) -> None:
    """Draw the yearly cost against the fetched share, a panel an operating model."""
    shares = np.linspace(0, 1, 101)
    styles = [(GREY, "-"), (GREEN, "-."), (BLUE, "-"), (BLUE, "--")]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 4.1), layout="constrained")
        axes = figure.subplots(1, len(cost.MODELS), sharey=True, gridspec_kw={"wspace": 0.1})
        for axis, model in zip(axes, cost.MODELS, strict=True):
            for codec, (colour, line) in zip(codecs, styles, strict=True):
                middle, low, high = (
                    [cost.yearly(prices, model, g, x, decoded=codec.decoded) for x in shares]
                    for g in (codec.gain, codec.gain_low, codec.gain_high)
                )
                over = 2 if line == "-" else 3  # a broken line shows the one below it
                label = f"{codec.name} {codec.gain:.3g}"
                axis.plot(shares, middle, line, color=colour, label=label, zorder=over)
                axis.fill_between(shares, low, high, color=colour, alpha=0.15, linewidth=0)
            axis.set_title(f"decoded {model}")
            axis.set_xlabel("share x that is fetched")
            axis.xaxis.set_major_formatter(PercentFormatter(1))
            axis.set_xlim(0, 1)
            axis.set_ylim(bottom=0)
        axes[0].set_ylabel(f"US dollars a year, {prices.beds:g} beds")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
        save(figure, path, provenance, f"Prices: {prices.source}")
