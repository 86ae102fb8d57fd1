"""What all plots share: how they look, and how they are written: SVG and PNG, the same bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from dynadeep.codegen.files import open_whole
from dynadeep.train.evaluation.provenance import Provenance

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#777777"
TASK_TITLES = {"rhythm": "Rhythm", "rpeaks": "R-peaks", "both": "Both at once"}
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.hashsalt": "dynadeep",
    "savefig.dpi": 130,
}
NONE_COLOUR = "#d0d0d0"


def level_colours(names: Sequence[str]) -> dict[str, str]:
    """Return a colour a level, "none" first; the strongest compression is the darkest."""
    shades = mpl.colormaps["viridis"](np.linspace(0.9, 0.05, len(names) - 1))
    return dict(zip(names, [NONE_COLOUR, *map(to_hex, shades)], strict=True))


def level_label(name: str) -> str:
    """Return what a level is called in a plot."""
    return "none" if name == "none" else f"CG {name}"


def save(figure: Figure, path: Path, provenance: Provenance, caption: str) -> None:
    """Write a figure as SVG and PNG, the caption below it and the provenance in its metadata."""
    figure.supxlabel(caption, fontsize=8, color="#555555")
    text = f"{caption}. {provenance.line()}"
    for kind, left_out in (("svg", "Date"), ("png", "Software")):
        with open_whole(path.with_name(f"{path.name}.{kind}")) as file:
            metadata = {left_out: None, "Description": text}
            figure.savefig(file, format=kind, metadata=metadata)
