"""Write a table twice, as Markdown to read and as JSON to use, with what it was made from."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynadeep.codegen.files import write_whole
from dynadeep.codegen.markdown import table
from dynadeep.train.evaluation.provenance import Provenance

DIGITS = 6
"""Decimals kept in JSON: fewer than the last bits that may differ from machine to machine."""

SHARE = "share_"
"""What the names of shares begin with; the level's follows."""

# Figure: heading, decimals, factor for reading.
HEADINGS: dict[str, tuple[str, int, float]] = {
    "bound": ("bound", 2, 1),
    "mean_cg": ("mean CG (published)", 2, 1),
    "byte_cg": ("byte CG", 2, 1),
    "prd": ("PRD %", 2, 1),
    "prdn": ("PRDN %", 2, 1),
    "published_prd": ("PRD % (published)", 2, 1),
    "f1": ("F1", 3, 1),
    "f1_rpeaks": ("F1 of R-peaks", 3, 1),
    "violations": ("violations %", 2, 100),
    "effective_loss": ("effective loss", 3, 1),
    "excess": ("excess over raw", 3, 1),
    "q1": ("Q1", 3, 1),
    "median": ("median", 3, 1),
    "q3": ("Q3", 3, 1),
    "mean": ("mean", 3, 1),
    "usd": ("US dollars a year", 0, 1),
}

Row = Mapping[str, Any]


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write rounded JSON; what is not a number becomes null."""
    text = json.dumps(_rounded(content), indent=1, allow_nan=False)
    return write_whole(path, text + "\n")


def write_markdown(path: Path, title: str, parts: Iterable[str], provenance: Provenance) -> Path:
    """Write parts of Markdown under a title, and what they were made from below them."""
    text = "\n\n".join([f"# {title}", *parts, provenance.line()])
    return write_whole(path, text + "\n")


def markdown(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Return rows as a Markdown table; a figure with an interval shows it in brackets.

    A column that no row has a value for is left out.
    """
    shown = [name for name in columns if any(_has(row, name) for row in rows)]
    headings = [heading[0] if (heading := _heading(name)) else name for name in shown]
    return "\n".join(table(headings, [[_cell(row, name) for name in shown] for row in rows]))


def _heading(name: str) -> tuple[str, int, float] | None:
    """Return a figure's heading, decimals and factor; None for what is no figure."""
    if name.startswith(SHARE):
        return f"{name.removeprefix(SHARE)} %", 1, 100
    return HEADINGS.get(name)


def _has(row: Row, name: str) -> bool:
    """Tell whether a row has a value in a column."""
    value = row.get(name)
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _cell(row: Row, name: str) -> str:
    """Return what a cell shows."""
    if not _has(row, name):
        return "-"
    value = row[name]
    heading = _heading(name)
    if heading is None:
        return f"{value:,}".replace(",", " ") if isinstance(value, int) else str(value)
    _, decimals, factor = heading
    text = f"{value * factor:.{decimals}f}"
    if _has(row, f"{name}_lo"):
        low, high = row[f"{name}_lo"] * factor, row[f"{name}_hi"] * factor
        text += f" [{low:.{decimals}f}, {high:.{decimals}f}]"
    return text


def _rounded(value: Any) -> Any:
    """Return a JSON value with its floats rounded, and null for those that are not finite."""
    if isinstance(value, Mapping):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value
