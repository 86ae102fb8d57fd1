"""An archive's Parquet as its collector has it: waiting rows become files, and stand there then."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

from dynadeep.host_tools.cloud import compact, schema
from dynadeep.host_tools.cloud.archive import Day, OnRefused, read_day
from dynadeep.host_tools.cloud.arrow import compute as pc
from dynadeep.host_tools.cloud.journal import Journal
from dynadeep.host_tools.cloud.rows import day_at

DAYS_CACHED = 64
NEAR_US = 60_000_000
"""By how much a segment's time may come out otherwise than when it was archived."""
TIDY_AFTER = timedelta(days=2)


class Store:
    """The files of an archive, written from its journal by one collector."""

    def __init__(
        self, root: Path, journal: Journal, periods_us: Mapping[int, float], on_refused: OnRefused
    ) -> None:
        """Take what is written, and where.

        Args:
            root: the archive's folder.
            journal: what waits for it.
            periods_us: of each model's segments.
            on_refused: told of files that cannot be read, of what is asked for by ``has``.
        """
        self._root = root
        self._journal = journal
        self._periods_us = periods_us
        self._on_refused = on_refused
        self._segments: OrderedDict[Day, set[tuple[int, int]]] = OrderedDict()  # stream, index

    def flush(self, now_us: Callable[[], int]) -> Iterator[None]:
        """Write what was committed as Parquet, a device's day at a step; tidy days that are over.

        Raises:
            ArchiveError: the journal cannot be read or written.
            OSError: a file cannot be written; what was to be in it waits on.
        """
        yield from self._write_batches()  # what a process before this one has begun
        self._journal.begin_batch()
        yield from self._write_batches()
        over = day_at(now_us()) - TIDY_AFTER
        for device, day in self._journal.days_before(over.isoformat()):
            compact.tidy(self._folder(device, day))
            self._journal.tidied(device, day)
            yield

    def has(self, device: str, stream: int, index: int, times_us: tuple[int, int]) -> bool:
        """Whether a segment's packet is in Parquet; the segment began between two times, Unix."""
        earliest, latest = times_us
        first, last = day_at(earliest - NEAR_US), day_at(latest + NEAR_US)
        near = (first + timedelta(days) for days in range((last - first).days + 1))
        return any((stream, index) in self._segments_of(device, day) for day in near)

    def _write_batches(self) -> Iterator[None]:
        for batch, device, day in self._journal.batches():
            rows, late = self._journal.rows(batch, device, day)
            compact.add(self._folder(device, day), batch, rows, self._periods_us, late=late)
            self._journal.finish(batch, device, day)
            self._segments.clear()
            yield

    def _folder(self, device: str, day: str) -> Path:
        return self._root / f"device={device}" / f"day={day}"

    def _segments_of(self, device: str, day: date) -> set[tuple[int, int]]:
        """Return the stream and index of each segment of a device's day that is in Parquet."""
        key = Day(device, day, self._folder(device, day.isoformat()))
        if key not in self._segments:
            self._segments[key] = self._read_segments(key)
            while len(self._segments) > DAYS_CACHED:
                self._segments.popitem(last=False)
        return self._segments[key]

    def _read_segments(self, day: Day) -> set[tuple[int, int]]:
        if not day.folder.is_dir():
            return set()
        rows = read_day(day, on_refused=self._on_refused)
        packets = rows.filter(pc.equal(rows["kind"], schema.PACKET))
        columns = (packets["stream"].to_pylist(), packets["index"].to_pylist())
        return set(zip(*columns, strict=True))
