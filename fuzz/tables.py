"""Change a Parquet file by what it says, and write it whole: its checksums are right then."""

import io
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

NUMBERS = (0, 1, -1, 255, 65_536, 1 << 31, 1 << 40, (1 << 40) + 1, (1 << 63) - 1, -(1 << 63))
TEXTS = (b"", b"packet", b"gap", b"restart", b"../x", b"\xff\xfe", b"a\nb", b"x" * 300)
TYPES = (pa.int32(), pa.int64(), pa.float64(), pa.string(), pa.binary(), pa.bool_())

Change = Callable[[pa.Table, random.Random], pa.Table]


def mutate_table(data: bytes, chance: random.Random) -> bytes | None:
    """Return a Parquet file changed a little; None if it is none, or cannot be changed so."""
    try:
        changed = chance.choice(_CHANGES)(pq.read_table(io.BytesIO(data)), chance)
        out = io.BytesIO()
        pq.write_table(changed, out, write_page_checksum=True)
        return out.getvalue()
    except (pa.ArrowException, ValueError, OverflowError, TypeError, OSError):
        return None


def _cell(table: pa.Table, chance: random.Random) -> pa.Table:
    """Change a value, whatever its column's type, or make it none."""
    if not len(table):
        return _rows(table, chance)
    index, row = chance.randrange(table.num_columns), chance.randrange(len(table))
    field = table.schema.field(index)
    is_number = pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type)
    plain = pa.int64() if is_number else pa.binary()
    values = table.column(index).combine_chunks().cast(plain, safe=False).to_pylist()
    values[row] = None if chance.random() < 0.2 else chance.choice(NUMBERS if is_number else TEXTS)
    column = pa.array(values, plain)
    typed = column.view(field.type) if pa.types.is_timestamp(field.type) else column
    typed = typed if typed.type == field.type else typed.cast(field.type, safe=False)
    return table.set_column(index, field.with_nullable(True), typed)


def _rows(table: pa.Table, chance: random.Random) -> pa.Table:
    """Double, drop or shuffle rows."""
    picked = (
        [chance.randrange(len(table)) for _ in range(chance.randrange(9))] if len(table) else []
    )
    return table.take(picked)


def _column(table: pa.Table, chance: random.Random) -> pa.Table:
    """Drop, double, rename or retype a column."""
    at = chance.randrange(table.num_columns)
    name, kind = table.column_names[at], chance.randrange(4)
    if kind == 0:
        return table.remove_column(at)
    if kind == 1:
        return table.append_column(name, table.column(at))
    if kind == 2:
        return table.set_column(at, name + "x", table.column(at))
    return table.set_column(at, name, table.column(at).cast(chance.choice(TYPES), safe=False))


def _metadata(table: pa.Table, chance: random.Random) -> pa.Table:
    """Change what the file says of itself."""
    metadata: dict[Any, Any] = dict(table.schema.metadata or {})
    metadata[b"dynadeep.archive"] = chance.choice((b"", b"1", b"2", b"\xff", b"1" * 300))
    return table.replace_schema_metadata(metadata if chance.random() < 0.8 else None)


_CHANGES: tuple[Change, ...] = (_cell, _cell, _cell, _cell, _rows, _column, _metadata)
