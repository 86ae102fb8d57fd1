"""Messages of simulated devices for tests of the collector."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynadeep.codegen.bundle import Bundle, Manifest
from dynadeep.host_tools.cloud import archive
from dynadeep.host_tools.cloud.bundles import period_us
from dynadeep.host_tools.cloud.collector import Collector, Message
from dynadeep.host_tools.cloud.schema import model_number
from dynadeep.host_tools.codec import packet as packets

START_US = 1_772_366_400_000_000  # 2026-03-01 12:00
NOW_US = START_US + 30 * 86_400_000_000


def models_of(bundle: Bundle) -> Mapping[int, Manifest]:
    return {model_number(packets.short_model_id(bundle.manifest)): bundle.manifest}


def payload(manifest: Manifest, number: int, *, salt: int = 0, **changes: Any) -> bytes:
    """Return a packet of level 1 whose codes depend on its number and ``salt``."""
    codes = zlib.crc32(b"%d %d" % (number, salt)).to_bytes(4, "big") * 64
    fields = {
        "level": 1,
        "model_id": packets.short_model_id(manifest),
        "stream": 0,
        "sequence": number % 65536,
        "payload": codes[: packets.payload_bytes(manifest, 1)],
    }
    return packets.encode(packets.Packet(**(fields | changes)))


def message(
    manifest: Manifest, number: int, *, at: float | None = None, device: str = "wrist-1", **changes
) -> Message:
    """Return a message that arrived ``at`` segments after START_US."""
    arrival = START_US + period_us(manifest) * (number + 1 if at is None else at)
    return Message(device, payload(manifest, number, **changes), str(round(arrival)), "0" * 16)


def collect(root: Path, bundle: Bundle, messages: list[Message], **options: Any) -> Collector:
    """Take messages into an archive, flush and close it."""
    options.setdefault("now_us", lambda: NOW_US)
    with Collector(root, models_of(bundle), **options) as collector:
        for published in messages:
            collector.take(published)
        collector.commit()
        drain(collector)
    return collector


def drain(collector: Collector) -> None:
    for _ in collector.flush():
        pass


def rows(root: Path, *columns: str) -> list[tuple[Any, ...]]:
    records = [row for batch in archive.read(root) for row in batch.to_pylist()]
    return [tuple(row[name] for name in columns) for row in records]
