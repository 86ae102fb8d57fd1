"""The rows that a packet brings along: what was lost before it, and that a stream began."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dynadeep.host_tools.cloud import schema
from dynadeep.host_tools.cloud.streams import Gap, Outcome, Placed

DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_at(time_us: int) -> date:
    """Return the day of a time in microseconds, Unix, in UTC."""
    return (_EPOCH + timedelta(microseconds=time_us)).date()


def rows_beside(placed: Placed) -> Iterator[dict[str, Any]]:
    """Yield what stands beside a placed packet: a stream's begin, and what it lacks."""
    gap = placed.gap
    if placed.outcome is Outcome.RESTART:
        place = (placed.index, placed.time_us) if gap is None else (gap.index, gap.time_us)
        row = {"index": place[0], "time": place[1], "count": 0, "detail": placed.detail}
        yield {"kind": schema.RESTART} | row
    for part in () if gap is None else _by_day(gap, placed):
        yield {"kind": schema.GAP, "index": part.index, "count": part.count, "time": part.time_us}


def _by_day(gap: Gap, placed: Placed) -> Iterator[Gap]:
    """Cut a gap where a day begins, so that each day knows what it lacks."""
    step = (placed.time_us - gap.time_us) / gap.count
    first, end = gap.index, gap.index + gap.count
    while first < end:
        time_us = round(gap.time_us + (first - gap.index) * step)
        left_us = DAY_US - time_us % DAY_US
        count = min(end - first, max(1, math.ceil(left_us / step))) if step > 0 else end - first
        yield Gap(first, count, time_us)
        first += count
