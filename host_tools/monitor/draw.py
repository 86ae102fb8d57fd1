"""Lines and bars made of characters; a braille character is 2 x 4 dots."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rich.text import Text

from dynadeep.host_tools.monitor.beat import Bar, Curve, Values

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Of a braille character, from the top, left and right."""
BLANK = 0x2800
BLOCKS = " ▁▂▃▄▅▆▇█"


def plot(curves: Sequence[Curve], styles: Sequence[str], width: int, height: int) -> Text:
    """Return curves over each other, the first on top, with the axis' ends on the left."""
    finite = [curve.values[np.isfinite(curve.values)] for curve in curves]
    values = np.concatenate([*finite, np.zeros(0)])
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    labels = [f"{high:.2f} ", *[""] * max(height - 2, 0), f"{low:.2f} "][:height]
    margin = max(map(len, labels))
    columns = max(width - margin, 1)
    planes = [_dots(curve.values, low, high, columns, height) for curve in curves]
    text = Text(no_wrap=True)
    for row in range(height):
        text.append(labels[row].rjust(margin), "dim")
        for column in range(columns):
            bits = [int(plane[row, column]) for plane in planes]
            top = next((index for index, bit in enumerate(bits) if bit), 0)
            whole = int(np.bitwise_or.reduce(bits)) if bits else 0
            text.append(chr(BLANK + whole), styles[top])
        text.append("\n" if row < height - 1 else "")
    return text


def _dots(
    values: Values, low: float, high: float, columns: int, rows: int
) -> npt.NDArray[np.uint8]:
    """Return the dots that a curve takes in each character, uint8 [rows, columns].

    Every column of dots is drawn from the least to the largest value that falls into it, so that no
    peak is lost, and joined to the one before.
    """
    cells = np.zeros((rows, columns), np.uint8)
    before: tuple[int, int] | None = None
    for x, part in enumerate(np.array_split(values, 2 * columns)):
        finite = part[np.isfinite(part)]
        if not finite.size:
            continue
        scaled = (high - np.array([finite.max(), finite.min()])) / ((high - low) or 1.0)
        top, bottom = (round(float(value) * (4 * rows - 1)) for value in scaled)
        first, last = top, bottom
        if before is not None:
            first, last = min(top, before[1]), max(bottom, before[0])
        for y in range(first, last + 1):
            cells[y // 4, x // 2] |= DOTS[y % 4][x % 2]
        before = (top, bottom)
    return cells


def bars(group: Sequence[Bar], width: int, style: str) -> Text:
    """Return a bar a line, its label before it and its text behind."""
    margin = max((len(bar.label) for bar in group), default=0) + 1
    text_width = max((len(bar.text) for bar in group), default=0) + 1
    room = max(width - margin - text_width, 1)
    text = Text(no_wrap=True)
    for bar in group:
        filled = round(min(max(bar.share, 0.0), 1.0) * room)
        text.append(bar.label.ljust(margin))
        text.append("█" * filled, style)
        text.append("░" * (room - filled), "dim")
        text.append(f"{bar.text.rjust(text_width)}\n")
    return text


def facts(rows: Sequence[tuple[str, str]]) -> Text:
    """Return names and what they are, a line each."""
    margin = max((len(name) for name, _ in rows), default=0) + 2
    text = Text(no_wrap=True)
    for name, value in rows:
        text.append(name.ljust(margin), "dim")
        text.append(f"{value}\n")
    return text


def sparkline(values: Sequence[int], width: int) -> str:
    """Return the last values as blocks, the largest of them full."""
    recent = list(values)[-width:] if width > 0 else []
    maximum = max(recent, default=0) or 1
    return "".join(BLOCKS[round(value / maximum * 8)] for value in recent)
