"""What a page is made of: tables, stacked bars, plots and maps, with every number formatted.

The templates draw these and know nothing of reports.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["", "good", "bad", "muted"]

UNKNOWN = "-"
KILO, MEGA = 1e3, 1e6


@dataclass(frozen=True)
class Cell:
    """One cell of a table; ``bar`` is a share of the column's largest, drawn behind the text."""

    text: str
    sort: float | str = ""
    bar: float | None = None
    tone: Tone = ""


@dataclass(frozen=True)
class Column:
    """A heading; figures are set to the right."""

    label: str
    figures: bool = True
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """A table, which a reader may sort by any column."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    folded: bool = False  # shown when its caption is clicked, and in print
    kind: str = "table"


@dataclass(frozen=True)
class Part:
    """One part of a stacked bar; the colour is picked by ``tone``, 1 to 8, 0 for what is free."""

    label: str
    text: str
    share: float  # of the whole bar
    tone: int


@dataclass(frozen=True)
class Stack:
    """What something is made of."""

    title: str
    total: str
    parts: tuple[Part, ...]
    kind: str = "stack"


@dataclass(frozen=True)
class Tick:
    """A place on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A line through a plot."""

    label: str
    role: Literal["reference", "result"]
    path: str  # of SVG


@dataclass(frozen=True)
class Plot:
    """Lines over a common axis; all places in the units of the drawing."""

    title: str
    description: str  # what a reader who cannot see it is told
    lines: tuple[Line, ...]
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    x_label: str
    y_label: str
    mark: float | None = None  # a vertical line at what matters
    mark_label: str = ""
    kind: str = "plot"


@dataclass(frozen=True)
class Box:
    """A tensor's place in RAM and time."""

    x: float
    y: float
    width: float
    height: float
    label: str  # "" where there is no room for it
    title: str
    tone: int


@dataclass(frozen=True)
class Map:
    """What lies where, and when."""

    title: str
    description: str
    boxes: tuple[Box, ...]
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    x_label: str
    y_label: str
    kind: str = "map"


@dataclass(frozen=True)
class Facts:
    """Names and what they are."""

    rows: tuple[tuple[str, str], ...]
    kind: str = "facts"


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = ""
    kind: str = "text"


@dataclass(frozen=True)
class Listing:
    """Long text as it is, folded away."""

    title: str
    text: str
    kind: str = "listing"


@dataclass(frozen=True)
class Heading:
    """A heading within a section, and short labels beside it."""

    text: str
    labels: tuple[str, ...] = ()
    kind: str = "heading"


Block = Table | Stack | Plot | Map | Facts | Text | Listing | Heading


@dataclass(frozen=True)
class Section:
    """A part of the page, told of in a sentence."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    intro: str = ""


@dataclass(frozen=True)
class Tile:
    """What is asked first: a figure, and how much of what is allowed it takes."""

    label: str
    value: str
    unit: str
    detail: str
    tone: Tone = ""
    gauge: float | None = None
    gauge_text: str = ""


@dataclass(frozen=True)
class Sheet:
    """One board's report."""

    id: str
    title: str
    subtitle: str
    held: bool
    verdict: str
    failures: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Page:
    """Everything in one file; the overview is of several boards."""

    title: str
    sheets: tuple[Sheet, ...]
    overview: tuple[Section, ...] = field(default=())


def figure(value: float | None, text: str = "", *, tone: Tone = "") -> Cell:
    """Return a cell that sorts by its value."""
    if value is None:
        return Cell(UNKNOWN, -1, tone="muted")
    return Cell(text or f"{value:,}", value, tone=tone)


def barred(values: Sequence[int]) -> list[Cell]:
    """Return a column of counts, each with a bar of its share of the largest."""
    most = max([*values, 1])
    return [Cell(f"{value:,}", value, bar=value / most) for value in values]


def short(value: float) -> tuple[str, str]:
    """Return a count as few digits and the unit's prefix: 20,190,240 is ("20.19", "M")."""
    if abs(value) >= MEGA:
        return f"{value / MEGA:,.2f}", "M"
    if abs(value) >= 10 * KILO:
        return f"{value / KILO:,.1f}", "k"
    return f"{value:,}", ""


def size(value: float) -> str:
    """Return bytes as few digits: kilobytes are of 1000."""
    digits, prefix = short(value)
    return f"{digits} {prefix.replace('k', 'K')}B"


def change(before: float, after: float) -> str:
    """Return a change in percent."""
    if before == after:
        return "0 %"
    return "new" if before == 0 else f"{(after / before - 1) * 100:+.1f} %"
