"""Text files: one sample a line, or columns, in any common dialect."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.channel import (
    MILLIVOLTS,
    Channel,
    Recording,
    Values,
    require_file,
)
from dynadeep.host_tools.recordings.dialect import TIME_UNITS, Dialect, Line, sniff

SUFFIXES = (".csv", ".tsv", ".txt")
BYTES_MAX = 1 << 28
COMMENT = "#"
AXIS_NAMES = ("time", "elapsed", "sample", "index", "seconds", "timestamp")
PLAUSIBLE_HZ = (20.0, 20_000.0)

_ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read(path: Path, *, columns_meant: bool = False) -> Recording:
    """Read a text file; a first column of numbers or times of the samples is left out.

    Args:
        path: UTF-8 or UTF-16, with or without a byte-order mark, else Latin-1.
        columns_meant: whether the user named a column, which settles what ``1,198`` is.

    Raises:
        EcgError: it is no text, holds no numbers, or can be read in two ways.
    """
    lines = _lines(path)
    dialect = sniff(str(path), lines, columns_meant=columns_meant)
    table = _load(path, lines[dialect.header_lines :], dialect)
    columns = [column for i, column in enumerate(dialect.columns) if i not in dialect.clock]
    axis, rate_hz = _axis(columns, table)
    first = 0 if axis is None else 1
    channels = [_channel(*columns[i], rate_hz, table[:, i]) for i in range(first, table.shape[1])]
    if axis is not None:
        channels = [replace(channel, remarks=(*channel.remarks, axis)) for channel in channels]
    return Recording(str(path), tuple(channels))


def _lines(path: Path) -> list[Line]:
    """Return the lines that are neither blank nor comments, with their numbers."""
    require_file(path, BYTES_MAX)
    content = path.read_bytes()
    try:
        text = content.decode(_ENCODINGS.get(content[:2], "utf-8-sig"))
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "\0" in text:
        raise EcgError(f"{path}: holds zero bytes, so it is no text. Name it by its format.")
    lines = enumerate(text.splitlines(), 1)
    numbered = [(n, line.strip(" \r\n")) for n, line in lines if line.strip()]
    numbered = [(n, line) for n, line in numbered if not line.startswith(COMMENT)]
    if not numbered:
        raise EcgError(f"{path}: holds no samples. Expected one a line.")
    return numbered


def _load(path: Path, lines: Sequence[Line], dialect: Dialect) -> Values:
    """Return the rows as numbers, float [T, columns], times of day left out."""
    columns = [i for i in range(len(dialect.columns)) if i not in dialect.clock]
    texts = [text.replace("'", "").replace('"', "") for _, text in lines]
    if dialect.decimal == ",":
        texts = [text.replace(",", ".") for text in texts]
    try:
        return np.loadtxt(
            texts, delimiter=dialect.delimiter, usecols=columns, ndmin=2, comments=None
        )
    except ValueError as error:
        raise _bad_row(path, lines, dialect, error) from error


def _bad_row(path: Path, lines: Sequence[Line], dialect: Dialect, error: ValueError) -> EcgError:
    """Name the first row that is not like the others."""
    for number, text in lines:
        fields = (
            [field.replace(",", ".") for field in dialect.tokens(text)]
            if (dialect.decimal == ",")
            else dialect.tokens(text)
        )
        try:
            for i, field in enumerate(fields):
                if i not in dialect.clock:
                    float(field)
        except ValueError:
            return EcgError(
                f"{path}: line {number} ({text[:40]!r}) is not a number. Expected one ADC sample "
                "a line, or columns of them."
            )
        if len(fields) != len(dialect.columns):
            return EcgError(
                f"{path}: line {number} has {len(fields)} columns, those before it "
                f"{len(dialect.columns)}. Correct the line."
            )
    return EcgError(f"{path}: {error}. Expected one ADC sample a line, or columns of them.")


def _axis(columns: Sequence[tuple[str, str]], table: Values) -> tuple[str | None, float | None]:
    """Say why the first column is left out, None if it is a signal, and the rate that it gives."""
    if table.shape[1] < 2 or not _rises_evenly(table[:, 0]):
        return None, None
    name, unit = columns[0]
    is_named = name.lower().startswith(AXIS_NAMES) or name.lower() == "t"
    if name and not is_named and unit.lower() not in TIME_UNITS:
        return None, None
    step = (table[-1, 0] - table[0, 0]) / (len(table) - 1)
    label = f" ({name!r})" if name else ""
    if step == 1:
        return f"its first column{label} counts the samples", None
    rate_hz = (1000.0 if unit.lower().startswith(("ms", "milli")) else 1.0) / step
    if not PLAUSIBLE_HZ[0] <= rate_hz <= PLAUSIBLE_HZ[1]:
        return f"its first column{label} rises by {step:g} a sample and is left out", None
    nearest_hz = round(rate_hz)
    exact = float(nearest_hz) if abs(rate_hz - nearest_hz) < 0.001 * rate_hz else rate_hz
    return f"its first column{label} is the time", exact


def _rises_evenly(values: Values) -> bool:
    """Return whether values [T] rise all the time and stay within one step of a straight line."""
    if len(values) < 3 or not (np.diff(values) > 0).all():
        return False
    line = np.linspace(values[0], values[-1], len(values))
    step = line[1] - line[0]
    return bool(np.abs(values - line).max() <= step)


def _channel(name: str, unit: str, rate_hz: float | None, values: Values) -> Channel:
    if unit in MILLIVOLTS:
        return Channel(name, "mV", rate_hz, partial(np.multiply, values, MILLIVOLTS[unit]))
    return Channel(name, unit, rate_hz, partial(np.asarray, values))
