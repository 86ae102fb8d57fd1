"""What was acknowledged is there, wherever the file that was being written is cut off."""

import random
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from dynadeep.host_tools.cloud import parts
from dynadeep.host_tools.cloud.collector import Collector
from dynadeep.host_tools.cloud.journal import NAME, Journal, waiting_in
from dynadeep.host_tools.cloud.parts import name_of

from .sending import NOW_US, collect, message, models_of, rows

LOG = f"{NAME}-wal"


@dataclass(frozen=True)
class Killed:
    """The files of a collector that was killed, and what it had acknowledged as they grew."""

    file: bytes
    log: bytes
    acknowledged: tuple[tuple[int, int], ...]  # bytes of the log, packets

    def least(self, length: int) -> int:
        """Return the packets that were acknowledged when the log had ``length`` bytes."""
        return max((count for size, count in self.acknowledged if size <= length), default=0)


def killed(root: Path, bundle, commits: int, packets: int) -> Killed:
    """Commit packets, and take the files as they are."""
    acknowledged = []
    with Collector(root, models_of(bundle), now_us=lambda: NOW_US) as collector:
        for number in range(commits * packets):
            collector.take(message(bundle.manifest, number))
            if (number + 1) % packets == 0:
                collector.commit()
                acknowledged.append(((root / LOG).stat().st_size, number + 1))
        return Killed((root / NAME).read_bytes(), (root / LOG).read_bytes(), tuple(acknowledged))


def found_in(root: Path, file: bytes, log: bytes) -> list[int]:
    """Return the segments that the next collector finds in such files."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    (root / NAME).write_bytes(file)
    (root / LOG).write_bytes(log)
    journal = Journal(root)
    try:
        journal.begin_batch()
        return [
            index
            for batch in journal.batches()
            for index in journal.rows(*batch)[0]["index"].to_pylist()
        ]
    finally:
        journal.close()


def check(root: Path, run: Killed, offsets: Iterable[int]) -> None:
    for offset in offsets:
        recovered = found_in(root, run.file, run.log[:offset])
        assert sorted(recovered) == list(range(len(recovered))), offset
        assert len(recovered) >= run.least(offset), offset


def test_a_journal_cut_where_its_pages_end_keeps_all_that_was_acknowledged(tmp_path, bundle):
    run = killed(tmp_path / "archive", bundle, 3, 2)
    ends = [size + aside for size, _ in run.acknowledged for aside in (-1, 0, 1)]
    check(tmp_path / "cut", run, [*ends, *range(0, len(run.log), 997)])


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_a_small_journal_cut_at_any_byte_keeps_all_that_was_acknowledged(tmp_path, bundle):
    run = killed(tmp_path / "archive", bundle, 3, 2)
    check(tmp_path / "cut", run, range(len(run.log) + 1))


@pytest.mark.parametrize("cuts", [10, pytest.param(200, marks=pytest.mark.nightly)])
def test_a_large_journal_cut_anywhere_keeps_all_that_was_acknowledged(tmp_path, bundle, cuts):
    run, rng = killed(tmp_path / "archive", bundle, 40, 50), random.Random(5)
    check(tmp_path / "cut", run, [rng.randrange(len(run.log) + 1) for _ in range(cuts)])


@pytest.mark.parametrize("step", [4999, pytest.param(1, marks=pytest.mark.nightly)])
def test_a_cut_while_the_log_goes_into_the_file_keeps_all(tmp_path, bundle, step):
    root = tmp_path / "archive"
    run = killed(root, bundle, 3, 2)
    after = (root / NAME).read_bytes()  # closing brings the log in
    assert after != run.file
    for offset in range(0, len(after) + 1, step):
        mixed = after[:offset] + run.file[offset:]
        assert sorted(found_in(tmp_path / "cut", mixed, run.log)) == list(range(6)), offset


@pytest.mark.parametrize(
    ("packets", "cuts"), [(300, 4), pytest.param(20_000, 200, marks=pytest.mark.nightly)]
)
def test_a_large_parquet_file_cut_while_it_takes_in_others_loses_nothing(
    tmp_path, bundle, packets, cuts
):
    """A kill as the file of two batches is written: the first one stands, the second waits."""
    root, cut, drawn = tmp_path / "archive", tmp_path / "cut", random.Random(6)
    sent = [message(bundle.manifest, i) for i in range(packets)]
    collect(root, bundle, sent[: packets // 2])
    with Collector(root, models_of(bundle), now_us=lambda: NOW_US) as collector:
        for published in sent[packets // 2 :]:
            collector.take(published)
        collector.commit()
    before = tmp_path / "before"
    shutil.copytree(root, before)
    collect(root, bundle, [])
    (*_, path) = sorted(root.rglob("*.parquet"))
    whole = path.read_bytes()
    hidden = path.with_name(f".{path.stem}.dynadeep-01234567.parquet").relative_to(root)
    for number in range(cuts):
        shutil.rmtree(cut, ignore_errors=True)
        shutil.copytree(before, cut)
        (cut / hidden).write_bytes(whole[: drawn.randrange(len(whole) + 1)])
        assert waiting_in(cut) == packets - packets // 2
        if number % 10 == 0:  # the others say as much, and this takes long
            assert rows(cut, "index") == [(i,) for i in range(packets // 2)]
            collect(cut, bundle, [])
            assert rows(cut, "index") == [(i,) for i in range(packets)]
        else:
            assert sum(parts.count(path) for path in parquet_files(cut)) == packets // 2


def parquet_files(root: Path) -> list[Path]:
    """Return the files of an archive that are read."""
    folders = {path.parent for path in root.rglob("*.parquet")}
    return [path for folder in folders for path in parts.in_folder(folder)[0]]


@pytest.mark.parametrize("step", [499, pytest.param(1, marks=pytest.mark.nightly)])
def test_a_parquet_file_cut_while_it_is_written_hides_nothing(tmp_path, bundle, step):
    sent = [message(bundle.manifest, i) for i in range(6)]
    root = tmp_path / "archive"
    collect(root, bundle, sent)
    (path,) = root.rglob("*.parquet")
    whole = path.read_bytes()
    part = path.with_name(f".{name_of(1, 2)[:-8]}.dynadeep-01234567.parquet")
    for length in range(0, len(whole) + 1, step):
        part.write_bytes(whole[:length])
        assert rows(root, "index") == [(i,) for i in range(6)]
    collect(root, bundle, sent)
    assert rows(root, "index") == [(i,) for i in range(6)]


def test_a_journal_that_was_only_just_begun_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    assert waiting_in(tmp_path) == 0
    with closing(sqlite3.connect(tmp_path / NAME)) as file:
        file.execute("PRAGMA journal_mode = WAL")
    assert waiting_in(tmp_path) == 0
