"""Archives of the small network's packets, for tests of decoding."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from dynadeep.codegen.bundle import Manifest, read_bundle
from dynadeep.host_tools.cloud import parts, schema
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.packet import Packet
from tests.caching import SMALL_BUNDLE

MANIFEST = read_bundle(SMALL_BUNDLE).manifest
MODEL = schema.model_number(packets.short_model_id(MANIFEST))
BEGIN = datetime(2026, 3, 1, 6, 30, 0, 250_000, tzinfo=UTC)
PERIOD = timedelta(seconds=MANIFEST.segment_length / MANIFEST.rate_hz)


def sent(index: int, manifest: Manifest = MANIFEST) -> bytes:
    """Return the packet of segment ``index``: every level by turns."""
    rng = np.random.default_rng(index)
    level = index % (len(manifest.levels) + 1)
    samples = rng.normal(0, 30, manifest.segment_length).cumsum().astype(np.int16)
    codes = rng.integers(-128, 128, manifest.levels[level - 1].codes).astype(np.int8)
    payload = packets.payload_of(manifest, level, samples, codes)
    short = packets.short_model_id(manifest)
    return packets.encode(Packet(level, short, 0, index % 65536, payload))


def row(index: int, kind: str = "packet", **changes: object) -> dict[str, object]:
    """Return the archive's row of a segment, or of what stands in its place."""
    time = BEGIN + index * PERIOD
    there = kind == "packet"
    return {
        "kind": kind, "stream": 0, "index": index, "count": 1, "sequence": index % 65536,
        "time": time, "arrival": time + PERIOD, "model": MODEL if there else None,
        "level": index % 3 if there else None, "packet": sent(index) if there else None,
        "detail": None,
    } | changes  # fmt: skip


def put(root: Path, rows: list[dict[str, object]], device: str = "a", batch: int = 1) -> None:
    """Add a file to a device's day, which is that of its first row."""
    time = rows[0]["time"]
    assert isinstance(time, datetime)
    folder = root / f"device={device}" / f"day={time.date().isoformat()}"
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=schema.SCHEMA)
    parts.write(folder / parts.name_of(batch, batch), table)


UNLIKE = 60
"""Packets that are made; longer days have them again and again."""


def put_days(root: Path, days: int, segments: int, device: str = "a") -> None:
    """Put the same packets on so many days."""
    unlike = [row(index) for index in range(min(segments, UNLIKE))]
    for day in range(days):
        begin = BEGIN + timedelta(days=day)
        rows = [
            unlike[i % UNLIKE] | {"time": begin + i * PERIOD, "index": day * 13_000 + i}
            for i in range(segments)
        ]
        put(root, rows, device)


DAY = date(2026, 3, 1)
