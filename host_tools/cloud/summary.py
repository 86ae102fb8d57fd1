"""What an archive holds, by device and day."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.cloud import schema
from dynadeep.host_tools.cloud.archive import OnRefused, days, read_day
from dynadeep.host_tools.cloud.arrow import compute as pc

SAMPLE_BYTES = 2


@dataclass(frozen=True)
class DaySummary:
    """A device's day."""

    device: str
    day: date
    segments: int
    levels: dict[str, int]  # segments by level, "0" is none
    bytes: int  # of packets
    byte_cg: float | None  # bytes of the samples by bytes of packets; None if a model is unknown
    gaps: int
    lost: int  # segments in gaps
    restarts: int
    unknown_models: int
    bad_packets: int

    def as_json(self) -> dict[str, Any]:
        """Return it as it is written."""
        return vars(self) | {"day": self.day.isoformat()}


@dataclass
class Total:
    """All of it."""

    days: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, day: DaySummary) -> None:
        """Count a day."""
        self.days += 1
        names = ("segments", "bytes", "gaps", "lost", "restarts", "unknown_models", "bad_packets")
        self.counts.update({name: getattr(day, name) for name in names})


def summarise(
    root: Path, models: Mapping[int, Manifest], *, device: str | None, on_refused: OnRefused
) -> Iterator[DaySummary]:
    """Yield each device's days; ``models`` say how many samples a segment has.

    Raises:
        ArchiveError: there is no such folder.
    """
    for day in days(root, device, on_refused=on_refused):
        yield _summary(day.device, day.day, read_day(day, on_refused=on_refused), models)


def _summary(device: str, day: date, rows: pa.Table, models: Mapping[int, Manifest]) -> DaySummary:
    kinds = Counter(rows["kind"].to_pylist())
    packets = rows.filter(pc.equal(rows["kind"], schema.PACKET))
    gaps = rows.filter(pc.equal(rows["kind"], schema.GAP))
    size = pc.sum(pc.binary_length(packets["packet"])).as_py() or 0
    levels = Counter(packets["level"].to_pylist())
    return DaySummary(
        device=device,
        day=day,
        segments=len(packets),
        levels={str(level): levels[level] for level in sorted(levels)},
        bytes=size,
        byte_cg=_byte_cg(Counter(packets["model"].to_pylist()), size, models),
        gaps=len(gaps),
        lost=pc.sum(gaps["count"]).as_py() or 0,
        restarts=kinds[schema.RESTART],
        unknown_models=kinds[schema.UNKNOWN_MODEL],
        bad_packets=kinds[schema.BAD_PACKET],
    )


def _byte_cg(segments: Counter[int], size: int, models: Mapping[int, Manifest]) -> float | None:
    if not size or not set(segments) <= set(models):
        return None
    samples = sum(count * models[model].segment_length for model, count in segments.items())
    return SAMPLE_BYTES * samples / size
