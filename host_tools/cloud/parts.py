"""The Parquet files of a device's day: written whole, and read as what a stranger may have made.

A file is called after the batches of rows that it holds, FIRST-LAST.parquet. Where the new file of
a compaction stands and those that it replaces are not removed yet, these lie within it and are left
out: at no time is a row missing, and never does one come twice.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dynadeep.codegen.errors import line_of
from dynadeep.codegen.files import path_whole
from dynadeep.host_tools.cloud import schema
from dynadeep.host_tools.cloud.arrow import compute as pc
from dynadeep.host_tools.cloud.arrow import write_table
from dynadeep.host_tools.errors import ArchiveError

ROWS_MAX = 4_000_000
"""Of a file. A device's day at 300 Hz has 12,960."""
BYTES_MAX = 1 << 30
"""Of a file's content, uncompressed."""
STRING_BYTES_MAX, ITEMS_MAX = 1 << 20, 1 << 16
"""Of the names and lists in a file's description of itself."""
ROW_GROUP_ROWS = 16_384

_NAME = re.compile(r"(\d{10})-(\d{10})\.parquet", re.ASCII)
_UNREADABLE = (pa.ArrowException, OSError, ValueError, MemoryError, NotImplementedError)
_DELTA = "DELTA_BINARY_PACKED"


@dataclass(frozen=True)
class Part:
    """One file: batches ``first`` to ``last``; -1 both, if its name is not one that we give."""

    path: Path
    first: int = -1
    last: int = -1

    def covers(self, other: "Part") -> bool:
        """Whether this file holds all that ``other`` does."""
        return 0 <= self.first <= other.first and other.last <= self.last


def name_of(first: int, last: int) -> str:
    """Return the name of the file of batches ``first`` to ``last``."""
    return f"{first:010d}-{last:010d}.parquet"


def part_of(path: Path) -> Part:
    """Return a file as what its name says."""
    match = _NAME.fullmatch(path.name)
    return Part(path, int(match[1]), int(match[2])) if match else Part(path)


def split(paths: Iterable[Path]) -> tuple[list[Part], list[Part]]:
    """Return the files that count, in the order of their batches, and those that others replace."""
    ordered = sorted((part_of(path) for path in paths), key=lambda part: (part.first, -part.last))
    current: list[Part] = []
    replaced: list[Part] = []
    reach = -1  # the last batch so far; what begins earlier and ends there lies within another
    for part in ordered:
        within = part.first >= 0 and part.last <= reach
        (replaced if within else current).append(part)
        reach = max(reach, part.last)
    return current, replaced


def in_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the Parquet files of a day's folder, and what else is in it; nothing hidden.

    While files are exchanged a listing may miss both the old and the new: two alike do not.
    """
    listing, previous = _listed(folder), None
    while listing != previous:
        listing, previous = _listed(folder), listing
    files = [path for path, is_file in listing if is_file]
    return files, [path for path, is_file in listing if not is_file]


def _listed(folder: Path) -> list[tuple[Path, bool]]:
    """Return what is in a folder by name, and whether it is a Parquet file and no link."""
    with os.scandir(folder) as entries:
        return sorted(
            (
                Path(entry.path),
                entry.name.endswith(".parquet") and entry.is_file(follow_symlinks=False),
            )
            for entry in entries
            if not entry.name.startswith((".", "_"))
        )


def write(path: Path, rows: pa.Table) -> None:
    """Write rows, of ``schema.SCHEMA``, as a file: whole, or not at all.

    Raises:
        OSError: it cannot be written.
    """
    with path_whole(path) as temporary:
        write_table(
            rows.cast(schema.SCHEMA).sort_by(schema.SORT_KEYS),
            temporary,
            row_group_size=ROW_GROUP_ROWS,
            compression="zstd",
            use_dictionary=["kind", "model", "level", "detail"],
            column_encoding=dict.fromkeys(("stream", "index", "count", "time", "arrival"), _DELTA),
            write_page_checksum=True,
        )


def read(path: Path) -> pa.Table:
    """Read a file, its rows sorted as ``schema.SORT_KEYS`` say; nothing of it is believed unseen.

    Raises:
        ArchiveError: it is damaged, of another schema, too large, or says what no archive does.
        FileNotFoundError: it is not there; it may have been taken into another meanwhile.
    """
    try:
        with _open(path) as file:
            _check_size(path, file.metadata)
            _check_schema(path, file.schema_arrow)
            rows = file.read(use_threads=False)
        rows.validate(full=True)
        _check_rows(path, rows)
        return rows.cast(schema.SCHEMA).sort_by(schema.SORT_KEYS)
    except FileNotFoundError:
        raise
    except _UNREADABLE as error:
        raise _refusal(path, f"no whole Parquet file ({_line(error)})") from error


def count(path: Path) -> int:
    """Return how many rows a file says that it has.

    Raises:
        ArchiveError: it is damaged, or says too many.
    """
    try:
        with _open(path) as file:
            _check_size(path, file.metadata)
            return int(file.metadata.num_rows)
    except _UNREADABLE as error:
        raise _refusal(path, f"no whole Parquet file ({_line(error)})") from error


def _open(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(
        path,
        pre_buffer=False,
        page_checksum_verification=True,
        thrift_string_size_limit=STRING_BYTES_MAX,
        thrift_container_size_limit=ITEMS_MAX,
        arrow_extensions_enabled=False,
    )


def _check_size(path: Path, metadata: pq.FileMetaData) -> None:
    """Check what the file says of its size, before anything is read of it."""
    if not 0 <= metadata.num_rows <= ROWS_MAX:
        raise _refusal(path, f"says that it has {metadata.num_rows:,} rows, at most {ROWS_MAX:,}")
    sizes = [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
    if any(size < 0 for size in sizes) or sum(sizes) > BYTES_MAX:
        raise _refusal(path, f"says that it has {sum(sizes):,} bytes, at most {BYTES_MAX:,}")


def _check_schema(path: Path, actual: pa.Schema) -> None:
    version = (actual.metadata or {}).get(schema.VERSION_KEY)
    if version != schema.VERSION.encode():
        stated = "states no version" if version is None else f"is of version {_line(version)}"
        raise _refusal(path, f"{stated} of the archive, this kit reads {schema.VERSION}")
    wrong = [field.name for field in schema.SCHEMA if not _has(actual, field)]
    if wrong or len(actual) != len(schema.SCHEMA):
        named = f'its column "{wrong[0]}"' if wrong else "one of its columns"
        raise _refusal(path, f"{named} is not one of the archive's schema")


def _has(actual: pa.Schema, field: pa.Field) -> bool:
    index = actual.get_field_index(field.name)
    return bool(index >= 0 and actual.field(index).type == field.type)


def _check_rows(path: Path, rows: pa.Table) -> None:
    """Check the values: whoever works with them need not."""
    for field in schema.SCHEMA:
        if not field.nullable and rows[field.name].null_count:
            raise _refusal(path, f'column "{field.name}" has empty values')
    unknown = pc.invert(pc.is_in(rows["kind"], pa.array(schema.KINDS)))
    limits = (
        ("kind", unknown),
        ("stream", _outside(rows["stream"], schema.COUNT_MAX)),
        ("index", _outside(rows["index"], schema.COUNT_MAX)),
        ("count", _outside(rows["count"], schema.COUNT_MAX)),
        ("time", _no_time(rows["time"])),
        ("arrival", _no_time(rows["arrival"])),
        ("packet", pc.greater(pc.binary_length(rows["packet"]), schema.PACKET_BYTES_MAX)),
        ("index", pc.and_(_places(rows), pc.is_null(rows["index"]))),
        *(
            (name, pc.and_(pc.equal(rows["kind"], schema.PACKET), pc.is_null(rows[name])))
            for name in ("packet", "level", "model")
        ),
    )
    for name, wrong in limits:
        if pc.any(wrong).as_py():
            raise _refusal(path, f'column "{name}" has a value that no archive has')


def _places(rows: pa.Table) -> pa.ChunkedArray:
    """Return which rows stand at a place in a stream."""
    return pc.is_in(rows["kind"], pa.array([schema.PACKET, schema.GAP, schema.RESTART]))


def _no_time(values: pa.ChunkedArray) -> pa.ChunkedArray:
    first, end = (pa.scalar(limit, schema.TIME) for limit in (schema.EARLIEST, schema.LATEST))
    return pc.or_(pc.less(values, first), pc.greater_equal(values, end))


def _outside(values: pa.ChunkedArray, most: int) -> pa.ChunkedArray:
    return pc.or_(pc.less(values, 0), pc.greater(values, most))


def _refusal(path: Path, problem: str) -> ArchiveError:
    return ArchiveError(f"{path}: {problem}. Take it away, or bring it back from a copy.")


def _line(what: object) -> str:
    return line_of(what, 160)
