"""Keep a device's day in few files: a new one takes in those before it that are not much larger.

So a day has as many files as its rows double, each row is written as often, and at no moment is a
row missing or there twice for who reads by ``parts.split``.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from dynadeep.host_tools.cloud import parts, schema
from dynadeep.host_tools.cloud.arrow import compute as pc
from dynadeep.host_tools.cloud.parts import Part
from dynadeep.host_tools.errors import ArchiveError

GROWTH = 2


def add(
    folder: Path, batch: int, rows: pa.Table, periods_us: Mapping[int, float], *, late: bool
) -> None:
    """Add a batch's rows to a day; a batch that is there already is not added twice.

    Args:
        folder: of the day.
        batch: its number, above all before it.
        rows: of ``schema.SCHEMA``.
        periods_us: of each model's segments.
        late: whether rows may lie in gaps that are written: these are made smaller then.

    Raises:
        OSError: the file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    current, replaced = parts.split(parts.in_folder(folder)[0])
    new = Part(folder / parts.name_of(batch, batch), batch, batch)
    if any(part.covers(new) for part in current):
        _remove(replaced)
        return
    absorbed, tables = _absorb(reversed(current), rows, everything=late)
    first = min([batch, *(part.first for part in absorbed)])
    merged = pa.concat_tables([rows, *tables])
    if late:
        merged = filled(merged, periods_us)
    parts.write(folder / parts.name_of(first, batch), merged)
    _remove([*absorbed, *replaced])


def tidy(folder: Path) -> None:
    """Make a day's files one, but for such as cannot be read.

    Raises:
        OSError: it cannot be written.
    """
    current, replaced = parts.split(parts.in_folder(folder)[0])
    absorbed, tables = _absorb(reversed(current), schema.SCHEMA.empty_table(), everything=True)
    if len(absorbed) > 1:
        name = parts.name_of(
            min(part.first for part in absorbed), max(part.last for part in absorbed)
        )
        parts.write(folder / name, pa.concat_tables(tables))
        _remove(absorbed)
    _remove(replaced)


def filled(rows: pa.Table, periods_us: Mapping[int, float]) -> pa.Table:
    """Return rows whose gaps have no segment in them that there is a packet of."""
    is_gap = pc.equal(rows["kind"], schema.GAP)
    gaps = rows.filter(is_gap).to_pylist()
    if not gaps:
        return rows
    rest = rows.filter(pc.invert(is_gap))
    packets = rest.filter(pc.equal(rest["kind"], schema.PACKET))
    present = set(zip(packets["stream"].to_pylist(), packets["index"].to_pylist(), strict=True))
    left = [piece for gap in gaps for piece in _pieces(gap, present, periods_us)]
    return pa.concat_tables([rest, pa.Table.from_pylist(left, schema=schema.SCHEMA)])


def _pieces(
    gap: dict[str, object], present: set[tuple[int, int]], periods_us: Mapping[int, float]
) -> Iterator[dict[str, object]]:
    """Yield what is left of a gap."""
    time = pa.scalar(gap["time"], schema.TIME).value
    stream, begin, model = gap["stream"], gap["index"], gap["model"]
    assert isinstance(begin, int)
    assert isinstance(stream, int)
    assert isinstance(gap["count"], int)
    end = begin + gap["count"]
    inside = sorted(index for number, index in present if number == stream and begin <= index < end)
    first = begin
    for index in [*inside, end]:
        if index > first:
            step = periods_us.get(model, 0.0) if isinstance(model, int) else 0.0
            moved = pa.scalar(round(time + (first - begin) * step), schema.TIME)
            yield gap | {"index": first, "count": index - first, "time": moved.as_py()}
        first = index + 1


def _absorb(
    newest_first: Iterable[Part], rows: pa.Table, *, everything: bool
) -> tuple[list[Part], list[pa.Table]]:
    """Return the files before a new one that it takes in, and their rows.

    One that cannot be read stays for people to look at, and so do those before it: the new file's
    name must not say that it holds them.
    """
    absorbed: list[Part] = []
    tables: list[pa.Table] = []
    count = len(rows)
    for part in newest_first:
        if part.first < 0:
            break
        try:
            if not everything and parts.count(part.path) > GROWTH * count:
                break
            part_rows = parts.read(part.path)
        except ArchiveError:
            break
        absorbed.append(part)
        tables.append(part_rows)
        count += len(part_rows)
    return absorbed, tables


def _remove(files: Iterable[Part]) -> None:
    for part in files:
        part.path.unlink(missing_ok=True)
