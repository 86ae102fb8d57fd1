"""Rows for tests of the archive."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from dynadeep.host_tools.cloud import schema

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERIOD = timedelta(seconds=6)


def packet_row(index: int, /, **changes: Any) -> dict[str, Any]:
    """Return the row of a packet, its time PERIOD behind the one before it."""
    time = BEGIN + index * PERIOD
    row = {
        "kind": "packet", "stream": 0, "index": index, "count": 1, "sequence": index % 65536,
        "time": time, "arrival": time + PERIOD, "model": 0xF201CC5A, "level": 1,
        "packet": b"packet %d" % index, "detail": None,
    }  # fmt: skip
    return row | changes


def table(*rows: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema.SCHEMA)
