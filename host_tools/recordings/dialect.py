"""How a text file writes its numbers: delimiter, decimal mark, header, units."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.channel import BARE, MILLIVOLTS, plain_unit

HEADER_LINES_MAX = 20
ROWS_LOOKED_AT = 50

_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf)", re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[+-]?(?:\d*,)?\d+(?:e[+-]?\d+)?", re.IGNORECASE)
_CLOCK = re.compile(r"\[?\d+:\d+(?::\d+)?(?:[.,]\d+)?(?: +\d+/\d+/\d+)?\]?")
_NAME_WITH_UNIT = re.compile(r"(.*?)\s*[\[(/]\s*([^\])]+?)\s*[\])]?")
_COUNTS = frozenset({"adc", "adu", "lsb", "raw", "counts", "count", "digits", "units"})
TIME_UNITS = frozenset({"s", "sec", "second", "seconds", "ms", "msec", "milliseconds", "samples"})
_OTHER_UNITS = frozenset({"nu", "mmhg", "bpm", "%", "degc", "pm", "l/min", "ohm", "kohm"})

Line = tuple[int, str]  # its number in the file, from 1, and its text


@dataclass(frozen=True)
class Dialect:
    """How the rows of a file are to be read; ``columns`` has a (name, unit) each."""

    delimiter: str | None  # None: white space
    decimal: str
    columns: tuple[tuple[str, str], ...]
    clock: frozenset[int]  # the columns that hold times of day, not numbers
    header_lines: int

    def tokens(self, text: str) -> list[str]:
        """Return a row's fields, without quotes or what a delimiter at its end leaves."""
        return _split(text, self.delimiter)[: len(self.columns)]


def sniff(name: str, lines: Sequence[Line], *, columns_meant: bool) -> Dialect:
    """Find the dialect of a file's lines, blank ones and comments left out.

    Args:
        name: of the file, for messages.
        lines: at least one.
        columns_meant: whether the user named a column, so that there must be several.

    Raises:
        EcgError: no line holds numbers, or they can be read in two ways.
    """
    candidates = list(_candidates(lines))
    if not candidates:
        raise EcgError(
            f"{name}: line {lines[0][0]} ({lines[0][1][:40]!r}) and those after it do not hold "
            "numbers. Expected one sample a line, or columns of them."
        )
    several = [candidate for candidate in candidates if len(candidate.columns) > 1]
    if len(candidates) == 1:
        return candidates[0]
    if several and (columns_meant or several[0].header_lines or _first_counts(several[0], lines)):
        return several[0]
    row = lines[candidates[0].header_lines][1]
    raise EcgError(
        f"{name}: {row[:40]!r} may be one number with a decimal comma, or two. Write a decimal "
        "point, or separate columns by ';', or name the column with --channel 0 or 1."
    )


def _candidates(lines: Sequence[Line]) -> Iterator[Dialect]:
    """Yield each dialect in which the file's rows are numbers; tab and ``;`` leave one only."""
    looked_at = lines[: HEADER_LINES_MAX + ROWS_LOOKED_AT]
    last = looked_at[-1][1]
    for delimiter in ("\t", ";"):
        if delimiter in last:
            for decimal in (".", ","):
                dialect = _try(looked_at, delimiter, decimal)
                if dialect:
                    yield dialect
                    return
    for separator, decimal in ((None, "."), (None, ","), (",", ".")):
        if (dialect := _try(looked_at, separator, decimal)) and (
            len(dialect.columns) > 1 or separator is None
        ):
            yield dialect
            if decimal == "." and separator is None:
                return


def _try(lines: Sequence[Line], delimiter: str | None, decimal: str) -> Dialect | None:
    """Return the dialect if, from some line on, every row is numbers in as many columns."""
    rows = [_split(text, delimiter) for _, text in lines]
    first = next((i for i, row in enumerate(rows) if _is_row(row, decimal)), None)
    if first is None or first > HEADER_LINES_MAX:
        return None
    body = rows[first:]
    width = len(body[0])
    checked = body[: max(1, min(len(body), ROWS_LOOKED_AT)) // 2 + 1]
    if not all(_is_row(row, decimal) and len(row) == width for row in checked):
        return None
    clock = frozenset(i for i in range(width) if _CLOCK.fullmatch(body[0][i]))
    if len(clock) == width:
        return None
    return Dialect(delimiter, decimal, _columns(rows[:first], width), clock, first)


def _split(text: str, delimiter: str | None) -> list[str]:
    fields = [field.strip().strip("'\"").strip() for field in text.split(delimiter)]
    while len(fields) > 1 and not fields[-1]:
        fields.pop()
    return fields


def _is_row(fields: Sequence[str], decimal: str) -> bool:
    number = _NUMBER if decimal == "." else _COMMA_NUMBER
    return all(number.fullmatch(field) or _CLOCK.fullmatch(field) for field in fields)


def _columns(header: Sequence[Sequence[str]], width: int) -> tuple[tuple[str, str], ...]:
    """Return the name and unit of each column, "" where the header gives none."""
    rows = [[" ".join(row)] for row in header] if width == 1 else header
    header_rows = [list(row) for row in rows if len(row) == width]
    units = [""] * width
    if len(header_rows) > 1 and all(_is_unit(field) for field in header_rows[-1] if field):
        units = header_rows.pop()
    names = header_rows[-1] if header_rows else [""] * width
    return tuple(_name_and_unit(name, unit) for name, unit in zip(names, units, strict=True))


def _name_and_unit(name: str, unit: str) -> tuple[str, str]:
    inside = _NAME_WITH_UNIT.fullmatch(name)
    if not unit and inside and _is_unit(inside[2]):
        name, unit = inside[1], inside[2]
    plain = plain_unit(unit)
    return name.strip(), BARE if plain.lower() in _COUNTS else plain


def _is_unit(text: str) -> bool:
    lowered = text.lower()
    return (
        plain_unit(text) in MILLIVOLTS
        or lowered in _COUNTS | TIME_UNITS | _OTHER_UNITS
        or lowered.startswith(("hh:", "mm:", "sample interval"))
    )


def _first_counts(dialect: Dialect, lines: Sequence[Line]) -> bool:
    """Return whether the first column counts the rows: 0, 1, 2 ..."""
    rows = [dialect.tokens(text)[0] for _, text in lines[:ROWS_LOOKED_AT]]
    if not all(field.isdecimal() for field in rows) or len(rows) < 3:
        return False
    return all(int(after) - int(before) == 1 for before, after in itertools.pairwise(rows))
