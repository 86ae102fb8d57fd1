"""Pictures of raw ECG over what is decoded of it, at every level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dynadeep.train.data import cinc2017
from dynadeep.train.evaluation.drawing import BLUE, ORANGE, STYLE, level_label, save
from dynadeep.train.evaluation.outcomes import Ints, Outcomes
from dynadeep.train.evaluation.provenance import Provenance

SHOWN_S = 4.0
"""Of each segment in the gallery; a picture of one record shows all of it."""
CLASS_NAMES = {"N": "normal", "A": "atrial fibrillation", "O": "other rhythm", "~": "noise"}
RAW = "#a8a8a8"
_QUARTILES = (1, 3)
_BARE: dict[Any, Any] = {**STYLE, "axes.grid": False, "xtick.bottom": False, "ytick.left": False}


@dataclass(frozen=True)
class Example:
    """A segment as it was, and as decoded from each level; T samples in ADC units."""

    record: str
    label: int  # index into the rhythm classes
    raw: NDArray[np.int16]  # [T]
    decoded: Mapping[str, NDArray[np.float32]]  # level -> [T], weakest compression first
    prdn: Mapping[str, float]  # level -> percent, of the whole record
    sizes: Mapping[str, int]  # level -> bytes of the packet
    sent: str  # the level that the device chose, or "none"


def pick(outcomes: Outcomes) -> list[int]:
    """Return which records are shown: two of each class, by rule and not by looks.

    They are those at the quartiles of PRDN at the strongest level among their class.
    """
    strongest, picked = outcomes.prdn[:, -1], []
    for label in range(len(cinc2017.CLASSES)):
        rows: Ints = np.flatnonzero(outcomes.labels == label)
        ranked = rows[np.argsort(strongest[rows], kind="stable")]
        picked += [int(ranked[quarter * len(ranked) // 4]) for quarter in _QUARTILES if len(ranked)]
    return list(dict.fromkeys(picked))


def typical(examples: Sequence[Example]) -> Example:
    """Return the example that is shown alone: the first of normal rhythm, or else the first."""
    normal = cinc2017.CLASSES.index("N")
    return next((example for example in examples if example.label == normal), examples[0])


def draw_gallery(
    examples: Sequence[Example], bound: float, path: Path, provenance: Provenance
) -> None:
    """Draw every example as a row, every level as a column; what was sent is framed."""
    names = list(examples[0].decoded)
    samples = round(SHOWN_S * cinc2017.RATE_HZ)
    with mpl.rc_context(_BARE):
        size = (1.4 + 3.1 * len(names), 1.0 + 1.35 * len(examples))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(len(examples), len(names), squeeze=False)
        for row, example in zip(axes, examples, strict=True):
            for axis, name in zip(row, names, strict=True):
                _over(axis, example, name, samples)
                axis.set_title(f"PRDN {example.prdn[name]:.0f} %", fontsize=7.5, loc="right", pad=2)
                if name == example.sent:
                    _frame(axis)
            kind = CLASS_NAMES[cinc2017.CLASSES[example.label]]
            row[0].set_ylabel(f"{example.record}\n{kind}\nsent: {level_label(example.sent)}")
        for axis, name in zip(axes[0], names, strict=True):
            axis.set_title(_heading(examples[0], name), fontsize=10, loc="left")
        _legend(figure, axes[0, 0])
        caption = (
            f"{SHOWN_S:g} s of a segment, each row on the scale of its raw signal; PRDN is that of "
            f"the record. Framed: the level that the device chose at a bound of {bound:g}"
        )
        save(figure, path, provenance, caption)


def draw_example(example: Example, path: Path, provenance: Provenance) -> None:
    """Draw one segment whole, a level below the other."""
    names = list(example.decoded)
    with mpl.rc_context(_BARE):
        figure = Figure(figsize=(7.6, 0.8 + 1.15 * len(names)), layout="constrained")
        axes = figure.subplots(len(names), 1, squeeze=False)[:, 0]
        for axis, name in zip(axes, names, strict=True):
            _over(axis, example, name, len(example.raw))
            axis.set_ylabel(f"CG {name}\n{example.sizes[name]} bytes")
            axis.set_title(f"PRDN {example.prdn[name]:.0f} %", fontsize=7.5, loc="right", pad=2)
        _legend(figure, axes[0])
        seconds = len(example.raw) / cinc2017.RATE_HZ
        size = 2 * len(example.raw)
        save(
            figure,
            path,
            provenance,
            f"{seconds:.1f} s of record {example.record}; raw: {size} bytes",
        )


def _heading(example: Example, name: str) -> str:
    return f"{level_label(name)}, {example.sizes[name]} bytes"


def _over(axis: Axes, example: Example, name: str, samples: int) -> None:
    """Draw the decoded signal over the raw one, in mV; no axes, the shape is what matters."""
    seconds = np.arange(samples) / cinc2017.RATE_HZ
    raw = example.raw[:samples] / cinc2017.UNITS_PER_MV
    axis.plot(seconds, raw, color=RAW, linewidth=2.2, label="raw")
    decoded = example.decoded[name][:samples] / cinc2017.UNITS_PER_MV
    axis.plot(seconds, decoded, color=BLUE, linewidth=0.9, label="decoded")
    low, high = float(raw.min()), float(raw.max())
    room = 0.12 * max(high - low, 0.05)
    axis.set(xlim=(0, seconds[-1]), ylim=(low - room, high + room), xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def _frame(axis: Axes) -> None:
    """Frame the level that was sent."""
    for spine in axis.spines.values():
        spine.set(visible=True, color=ORANGE, linewidth=2.0)


def _legend(figure: Figure, axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
