"""Read an archive, a device's day at a time, so that memory does not grow with it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from dynadeep.host_tools.cloud import parts, schema
from dynadeep.host_tools.cloud.arrow import compute as pc
from dynadeep.host_tools.errors import ArchiveError

T = TypeVar("T")

BATCH_ROWS = 1024

EXCHANGES_MAX = 100
"""Of a day's files while it is read."""

OnRefused = Callable[[ArchiveError], None]
"""Told of each file and folder that is left out because it is none of an archive's."""


@dataclass(frozen=True, order=True)
class Day:
    """The files of a device's day, that of the begin of its segments in UTC."""

    device: str
    day: date
    folder: Path


def read(
    root: Path,
    device: str | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    *,
    on_refused: OnRefused | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield an archive's rows by device and day, within a day sorted by stream and index.

    Args:
        root: the archive's folder.
        device: one device alone; else all of them, by name.
        begin: rows whose time is this or later, with a time zone.
        end: rows whose time is earlier than this, with a time zone.
        on_refused: told of what is no part of an archive; without it that raises.

    Yields:
        Batches of at most BATCH_ROWS rows of one device: the columns of ``schema.SCHEMA``, and
        ``device`` behind them.

    Raises:
        ArchiveError: there is no such folder, or something in it is refused and ``on_refused`` is
            None.
    """
    for day in days(root, device, begin, end, on_refused=on_refused):
        rows = within(read_day(day, on_refused=on_refused), begin, end)
        name = pa.array([day.device], pa.string()).take(pa.array([0] * len(rows), pa.int8()))
        yield from rows.append_column("device", name).to_batches(max_chunksize=BATCH_ROWS)


def days(
    root: Path,
    device: str | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    *,
    on_refused: OnRefused | None = None,
) -> Iterator[Day]:
    """Yield the days of an archive that hold a part of [begin, end), by device and day.

    Raises:
        ArchiveError: as ``read``.
    """
    if not root.is_dir():
        raise ArchiveError(f"{root}: no such folder. Name an archive, as 'collect' writes it.")
    for folder, name in _folders(root, schema.device_of, on_refused):
        if device is None or name == device:
            for inner, day in _folders(folder, schema.day_of, on_refused):
                if _first(begin) <= day <= _last(end):
                    yield Day(name, day, inner)


def read_day(day: Day, *, on_refused: OnRefused | None = None) -> pa.Table:
    """Return all rows of a device's day, sorted as ``schema.SORT_KEYS`` say.

    Raises:
        ArchiveError: as ``read``.
    """
    for _ in range(EXCHANGES_MAX):
        errors: list[ArchiveError] = []
        try:
            rows = _read_day(day, errors)
        except FileNotFoundError:  # a collector has taken it into another since it was listed
            continue
        for error in errors:
            _refuse(error, on_refused)
        return rows
    raise ArchiveError(f"{day.folder}: its files change faster than they can be read. Try again.")


def _read_day(day: Day, refused: list[ArchiveError]) -> pa.Table:
    paths, strange = parts.in_folder(day.folder)
    refused += map(_stranger, strange)
    tables, size = [schema.SCHEMA.empty_table()], 0
    for part in parts.split(paths)[0]:
        try:
            rows = parts.read(part.path)
            size += rows.nbytes
            if size > parts.BYTES_MAX:
                raise ArchiveError(
                    f"{part.path}: with it this day has {size:,} bytes, at most "
                    f"{parts.BYTES_MAX:,} are read. Take it away."
                )
            tables.append(rows)
        except ArchiveError as error:
            refused.append(error)
    if len(tables) == 2:
        return tables[1]
    return pa.concat_tables(tables).sort_by(schema.SORT_KEYS)


def within(rows: pa.Table, begin: datetime | None, end: datetime | None) -> pa.Table:
    """Return the rows whose time is ``begin`` or later, and earlier than ``end``."""
    if begin is not None:
        rows = rows.filter(pc.greater_equal(rows["time"], pa.scalar(begin, schema.TIME)))
    if end is not None:
        rows = rows.filter(pc.less(rows["time"], pa.scalar(end, schema.TIME)))
    return rows


def _first(begin: datetime | None) -> date:
    return date.min if begin is None else begin.astimezone(UTC).date()


def _last(end: datetime | None) -> date:
    if end is None:
        return date.max
    return (max(end, schema.EARLIEST) - timedelta(microseconds=1)).astimezone(UTC).date()


def _folders(
    root: Path, parse: Callable[[str], T | None], on_refused: OnRefused | None
) -> Iterator[tuple[Path, T]]:
    """Yield the folders within ``root``, by name, and what ``parse`` makes of their names.

    Hidden files are somebody's own: the collector's are. Links lead out of the archive.
    """
    with os.scandir(root) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        value = parse(entry.name)
        if entry.name.startswith((".", "_")):
            continue
        if value is None or not entry.is_dir(follow_symlinks=False):
            _refuse(_stranger(entry.path), on_refused)
        else:
            yield Path(entry.path), value


def _stranger(path: Path | str) -> ArchiveError:
    return ArchiveError(f"{path}: no part of an archive. Move it out.")


def _refuse(error: ArchiveError, on_refused: OnRefused | None) -> None:
    if on_refused is None:
        raise error
    on_refused(error)
