"""The archive's files: what is written is read again, and nothing of a stranger is believed."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from dynadeep.host_tools.cloud import archive, parts, schema
from dynadeep.host_tools.errors import ArchiveError

from .rows import BEGIN, packet_row, table

DAY = "2026-03-01"


def place(root: Path, device: str = "wrist-1", day: str = DAY) -> Path:
    return root / f"device={device}" / f"day={day}"


def put(root: Path, rows: pa.Table, first: int = 1, last: int | None = None, **where: str) -> Path:
    path = place(root, **where) / parts.name_of(first, first if last is None else last)
    parts.write(path, rows)
    return path


def indices(root: Path, **options) -> list[int]:
    return [row for batch in archive.read(root, **options) for row in batch["index"].to_pylist()]


def refused(root: Path) -> list[str]:
    errors: list[str] = []
    list(archive.read(root, on_refused=lambda error: errors.append(str(error))))
    return errors


def test_what_is_written_is_read_sorted_with_its_device(tmp_path):
    put(tmp_path, table(*(packet_row(i) for i in (2, 0, 1))))
    (batch,) = archive.read(tmp_path)
    assert batch["index"].to_pylist() == [0, 1, 2]
    assert batch["device"].to_pylist() == ["wrist-1"] * 3
    assert batch["packet"][0].as_py() == b"packet 0"


def test_a_day_of_several_files_is_read_as_one(tmp_path):
    put(tmp_path, table(packet_row(0), packet_row(2)), 1)
    put(tmp_path, table(packet_row(1)), 2)
    assert indices(tmp_path) == [0, 1, 2]


def test_files_that_a_newer_one_replaces_are_not_read_twice(tmp_path):
    for batch in range(1, 4):
        put(tmp_path, table(packet_row(batch)), batch)
    put(tmp_path, table(*(packet_row(batch) for batch in (1, 2, 3))), 1, 3)
    put(tmp_path, table(packet_row(4)), 4)
    assert indices(tmp_path) == [1, 2, 3, 4]


def test_the_archive_is_read_with_nothing_but_pyarrow(tmp_path):
    put(tmp_path, table(packet_row(0), packet_row(1)))
    put(tmp_path, table(packet_row(0)), device="wrist-2")
    (tmp_path / ".collector.sqlite").write_bytes(b"the collector's own")
    rows = pyarrow.dataset.dataset(tmp_path, partitioning="hive").to_table()
    assert sorted(rows["device"].to_pylist()) == ["wrist-1", "wrist-1", "wrist-2"]
    assert set(rows["day"].to_pylist()) == {DAY}


def test_a_device_and_a_time_leave_the_others_out(tmp_path):
    put(tmp_path, table(*(packet_row(i) for i in range(4))))
    put(tmp_path, table(packet_row(7)), device="wrist-2")
    second = BEGIN + timedelta(seconds=6)
    assert indices(tmp_path, device="wrist-2") == [7]
    assert indices(tmp_path, device="wrist-1", begin=second, end=second) == []
    assert indices(
        tmp_path, device="wrist-1", begin=second, end=second + timedelta(seconds=12)
    ) == [1, 2]
    assert indices(tmp_path, begin=datetime(2026, 3, 2, tzinfo=UTC)) == []


def test_a_file_cut_at_any_byte_is_refused_and_the_others_are_read(tmp_path):
    put(tmp_path, table(packet_row(0)), 1)
    path = put(tmp_path, table(packet_row(1)), 2)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ArchiveError):
            parts.read(path)
    assert len(refused(tmp_path)) == 1
    assert indices(tmp_path, on_refused=lambda error: None) == [0]


def test_a_file_being_written_is_not_looked_at(tmp_path):
    path = put(tmp_path, table(packet_row(0)))
    path.with_name(".0000000001-0000000002.dynadeep-0123abcd.parquet").write_bytes(b"PAR1")
    assert indices(tmp_path) == [0]
    assert not refused(tmp_path)


def test_damage_within_a_file_is_refused_or_changes_nothing(tmp_path):
    rows = table(*(packet_row(i) for i in range(40)))
    path = put(tmp_path, rows)
    whole, drawn = path.read_bytes(), random.Random(7)
    for _ in range(300):
        flipped = bytearray(whole)
        flipped[drawn.randrange(len(whole))] ^= 1 << drawn.randrange(8)
        path.write_bytes(flipped)
        try:
            content = parts.read(path)
        except ArchiveError:
            continue
        assert content["packet"].equals(rows["packet"])  # it lay in what says nothing of the rows


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "surprise"},
        {"stream": -1},
        {"index": -5},
        {"index": None},
        {"index": 1 << 60},
        {"count": 1 << 60},
        {"packet": None},
        {"packet": bytes(100_000)},
    ],
    ids=str,
)
def test_a_value_that_no_archive_has_is_refused(tmp_path, changes):
    put(tmp_path, table(packet_row(0), packet_row(1, **changes)))
    (error,) = refused(tmp_path)
    assert f'column "{next(iter(changes))}" has a value that no archive has' in error


def test_a_file_of_another_schema_is_refused(tmp_path):
    path = put(tmp_path, table(packet_row(0)))
    rows = table(packet_row(0))
    wrong_tables = (
        (rows.replace_schema_metadata({}), "states no version"),
        (rows.replace_schema_metadata({schema.VERSION_KEY: b"2"}), "is of version b'2'"),
        (rows.drop_columns(["level"]), 'its column "level"'),
        (rows.append_column("more", rows["level"]), "one of its columns"),
        (rows.set_column(8, "level", rows["level"].cast(pa.int64())), 'its column "level"'),
    )
    for wrong_table, message in wrong_tables:
        pq.write_table(wrong_table, path)
        with pytest.raises(ArchiveError, match=message):
            parts.read(path)


def test_a_file_that_says_it_is_huge_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = put(tmp_path, table(*(packet_row(i) for i in range(5))))
    monkeypatch.setattr(parts, "ROWS_MAX", 4)
    with pytest.raises(ArchiveError, match="says that it has 5 rows"):
        parts.read(path)
    monkeypatch.undo()
    monkeypatch.setattr(parts, "BYTES_MAX", 100)
    with pytest.raises(ArchiveError, match="bytes, at most 100"):
        parts.read(path)


@pytest.mark.parametrize(
    "name",
    ["device=../up", "device=", "device=.hidden", "device=a b", "wrist-1", "device=" + "a" * 65,
     "device=wrist-1/day=2026-02-30", "device=wrist-1/day=today", "device=wrist-1/3"],
)  # fmt: skip
def test_a_folder_that_is_no_part_of_an_archive_is_told_and_left_alone(tmp_path, name):
    put(tmp_path, table(packet_row(0)))
    (tmp_path / name.replace("/up", "%2Fup")).mkdir(parents=True)
    (error,) = refused(tmp_path)
    assert "no part of an archive" in error
    with pytest.raises(ArchiveError, match="no part of an archive"):
        list(archive.read(tmp_path))


def test_a_link_that_leads_out_of_the_archive_is_not_followed(tmp_path):
    root = tmp_path / "archive"
    path = put(root, table(packet_row(0)))
    put(tmp_path / "other", table(packet_row(9)))
    (root / "device=linked").symlink_to(tmp_path / "other" / "device=wrist-1")
    path.with_name("linked.parquet").symlink_to(path)
    assert len(refused(root)) == 2
    assert indices(root, on_refused=lambda error: None) == [0]


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(ArchiveError, match="no such folder"):
        list(archive.read(tmp_path / "none"))


def test_days_are_those_of_utc(tmp_path):
    put(tmp_path, table(packet_row(0)))
    east = datetime.fromisoformat("2026-03-02T01:00:00+05:00")
    (day,) = archive.days(tmp_path, begin=east)
    assert day.day == date(2026, 3, 1)


def test_a_day_whose_files_are_exchanged_while_it_is_read_is_read_whole(tmp_path, monkeypatch):
    put(tmp_path, table(packet_row(1)), 1)
    put(tmp_path, table(packet_row(2)), 2)
    read, exchanged = parts.read, []

    def exchange_and_read(path: Path) -> pa.Table:
        if not exchanged:
            exchanged.append(put(tmp_path, table(packet_row(1), packet_row(2)), 1, 2))
            for batch in (1, 2):
                (place(tmp_path) / parts.name_of(batch, batch)).unlink()
        return read(path)

    monkeypatch.setattr(parts, "read", exchange_and_read)
    assert indices(tmp_path) == [1, 2]
