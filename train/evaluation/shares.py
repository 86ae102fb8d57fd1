"""Which share of the segments goes at which level, against the bound."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.evaluation import decisions
from dynadeep.train.evaluation.drawing import STYLE, TASK_TITLES, level_colours, level_label, save
from dynadeep.train.evaluation.outcomes import Floats, Outcomes, TaskOutcome
from dynadeep.train.evaluation.provenance import Provenance

BOUNDS = np.linspace(0, 2, 101)
_UNITS: dict[PromiseKind, str] = {"loss": "the task's own loss", "added": "added loss"}


@dataclass(frozen=True)
class Shares:
    """One task: what part goes at each level, "none" first, float [B, K+1] each."""

    promise: PromiseKind
    device: Floats  # of the segments, one decision a segment
    oracle: Floats  # of the records: what knowing their true losses would choose


def shares(outcomes: Outcomes) -> dict[str, Shares]:
    """Return the shares of every task whose codec has heads, at ``BOUNDS``."""
    return {name: _shares(task) for name, task in outcomes.tasks.items() if task.foreseen}


def _shares(task: TaskOutcome) -> Shares:
    promise, levels = decisions.foreseen(task).promise, np.arange(1 + task.loss.shape[1])
    device = [decisions.by_segment(task, float(bound)).ravel() for bound in BOUNDS]
    oracle = [decisions.by_oracle(task, promise, float(bound)) for bound in BOUNDS]
    parts = [(np.stack(chosen)[:, :, None] == levels).mean(axis=1) for chosen in (device, oracle)]
    return Shares(promise, *parts)


def draw_shares(outcomes: Outcomes, path: Path, provenance: Provenance) -> None:
    """Draw the shares as stacked areas: a column a task, the device above an oracle."""
    by_task, names = shares(outcomes), outcomes.level_names
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(1.2 + 2.9 * len(by_task), 5.2), layout="constrained")
        axes = figure.subplots(2, len(by_task), squeeze=False, sharex=True, sharey=True)
        for column, (task, task_shares) in enumerate(by_task.items()):
            for axis, part in zip(
                axes[:, column], (task_shares.device, task_shares.oracle), strict=True
            ):
                _areas(axis, part, level_colours(names))
            axes[0, column].set_title(TASK_TITLES[task])
            axes[1, column].set_xlabel(f"bound on {_UNITS[task_shares.promise]}")
        axes[0, 0].set_ylabel("device, share of segments")
        axes[1, 0].set_ylabel("oracle, share of records")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(names))
        save(figure, path, provenance, "The oracle knows every record's true loss at each level")


def _areas(axis: Axes, part: Floats, colours: Mapping[str, str]) -> None:
    """Stack the strongest level at the bottom, "none" on top."""
    names = list(colours)[::-1]
    axis.stackplot(
        BOUNDS,
        part.T[::-1],
        colors=[colours[name] for name in names],
        labels=[level_label(name) for name in names],
        edgecolor="white",
        linewidth=0.4,
    )
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.set_xlim(0, 2)
    axis.set_ylim(0, 1)
