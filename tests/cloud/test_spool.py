"""The spool: what was taken outlives a kill, in order, within a bound; the rest is counted."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from dynadeep.host_tools.cloud.allowance import Bucket
from dynadeep.host_tools.cloud.reader import Sessions
from dynadeep.host_tools.cloud.spool import DISK, FLOOD, FULL, ROW_BYTES, Arrival, Spool
from dynadeep.host_tools.errors import GatewayError
from tests.cloud.wearing import packet

DEVICES = ("bed-7", "bed-8")


def arrivals(numbers: range) -> list[Arrival]:
    return [Arrival(1000 + number, f"{number:016x}", packet(number)) for number in numbers]


def packets_of(spool: Spool, device: str, number: int = 0) -> list[bytes]:
    return [stored.packet for stored in spool.after(device, number, 1000)]


def test_packets_come_out_in_order_and_are_gone_when_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20, DEVICES)
    assert spool.add("bed-7", arrivals(range(4))) == {}
    assert spool.add("bed-8", arrivals(range(9))) == {}
    assert spool.add("bed-7", arrivals(range(4, 6))) == {}
    stored_packets = spool.after("bed-7", 0, 100)
    assert [stored.packet for stored in stored_packets] == [packet(number) for number in range(6)]
    assert [(stored.arrival, stored.session) for stored in stored_packets[:1]] == [(1000, "0" * 16)]
    spool.remove("bed-7", [stored.number for stored in stored_packets[:4]])
    assert packets_of(spool, "bed-7") == [packet(4), packet(5)]
    assert packets_of(spool, "bed-7", stored_packets[4].number) == [packet(5)]
    assert (spool.waiting("bed-7"), spool.waiting("bed-8")) == (2, 9)
    spool.close()


IMPORTS = """
import os, signal, sys
from pathlib import Path
from dynadeep.host_tools.cloud.spool import Arrival, Spool
"""
KILLED = f"""{IMPORTS}
spool = Spool(Path(sys.argv[1]), 1 << 20, ("bed-7",))
for number in range(1000):
    spool.add("bed-7", [Arrival(number, "0" * 16, number.to_bytes(4, "little"))])
    print(number, flush=True)
    if number == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("last", [0, 7, 40])
def test_what_was_taken_before_a_kill_is_there_after_it(tmp_path: Path, last: int) -> None:
    words = [sys.executable, "-c", KILLED, str(tmp_path / "spool"), str(last)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.stdout.split()[-1:] == [str(last)], ended.stderr
    spool = Spool(tmp_path / "spool", 1 << 20, ("bed-7",))
    numbers = [int.from_bytes(data, "little") for data in packets_of(spool, "bed-7")]
    assert numbers == list(range(last + 1))
    spool.close()


def test_a_full_share_drops_what_comes_and_keeps_what_is_there(tmp_path: Path) -> None:
    room = 3 * (len(packet(0)) + ROW_BYTES)
    spool = Spool(tmp_path / "spool", 2 * room, DEVICES)
    assert spool.add("bed-7", arrivals(range(5))) == {FULL: 2}
    assert spool.add("bed-7", arrivals(range(5, 6))) == {FULL: 1}
    assert spool.add("bed-8", arrivals(range(3))) == {}  # one device's flood is not another's
    assert packets_of(spool, "bed-7") == [packet(0), packet(1), packet(2)]
    spool.drop("bed-7", FLOOD, 9)
    assert spool.dropped("bed-7") == {FLOOD: 9, FULL: 3}
    spool.remove("bed-7", [spool.after("bed-7", 0, 1)[0].number])
    spool.close()
    again = Spool(tmp_path / "spool", 2 * room, DEVICES)  # counts and room outlive the process
    assert again.dropped("bed-7") == {FLOOD: 9, FULL: 3}
    assert again.add("bed-7", arrivals(range(7, 9))) == {FULL: 1}
    again.close()


def fill_the_disk(spool: Spool) -> None:
    """Let the file grow no further: SQLite says of it what it says of a full disk."""
    (pages,) = spool._file.execute("PRAGMA page_count").fetchone()
    spool._file.execute(f"PRAGMA max_page_count = {pages}")
    while not spool.add("bed-7", [Arrival(1000, "0" * 16, packet(1))]):
        pass


def test_a_full_disk_drops_what_comes_and_keeps_what_the_broker_may_have_lost(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path / "spool", 1 << 30, DEVICES)
    spool.add("bed-7", arrivals(range(4)))
    fill_the_disk(spool)
    assert spool.add("bed-7", arrivals(range(9))) == {DISK: 9}
    there = spool.waiting("bed-7")
    spool._file.execute("PRAGMA query_only = 1")  # nothing can be written at all, no removal either
    assert not spool.remove("bed-7", [stored.number for stored in spool.after("bed-7", 0, 2)])
    before = spool.dropped("bed-7")[DISK]
    assert spool.add("bed-7", arrivals(range(7))) == {DISK: 7}
    assert spool.dropped("bed-7")[DISK] == before + 7  # counted though it cannot be written
    spool._file.execute("PRAGMA query_only = 0")
    assert spool.waiting("bed-7") == there
    assert spool.remove("bed-7", [stored.number for stored in spool.after("bed-7", 0, 2)])
    assert spool.waiting("bed-7") == there - 2
    spool.close()
    again = Spool(tmp_path / "spool", 1 << 30, DEVICES)
    assert again.dropped("bed-7") == {DISK: before + 7}
    again.close()


def test_a_spool_that_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20, DEVICES)
    spool._file.execute("DROP TABLE packets")
    for ask in (lambda: spool.after("bed-7", 0, 1), lambda: spool.waiting("bed-7"), spool.unnamed):
        with pytest.raises(GatewayError, match=r"spool: expected a spool.*--spool"):
            ask()
    spool.close()


def test_packets_of_a_device_that_is_named_no_more_are_told(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20, DEVICES)
    spool.add("bed-8", arrivals(range(2)))
    spool.close()
    spool = Spool(tmp_path / "spool", 1 << 20, ("bed-7",))
    assert spool.unnamed() == {"bed-8": 2}
    spool.close()


def test_two_gateways_do_not_share_a_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20, DEVICES)
    script = "Spool(Path(sys.argv[1]), 1 << 20, ('bed-7',))"
    words = [sys.executable, "-c", f"{IMPORTS}{script}", str(tmp_path / "spool")]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "BusyError" in ended.stderr.splitlines()[-1]
    spool.close()


def test_a_file_that_is_no_spool_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all, but long enough to look at" * 100)
    with sqlite3.connect(tmp_path / "other") as database:
        database.execute("CREATE TABLE mine (value)")
    database.close()
    for name in ("text", "other"):
        with pytest.raises(GatewayError, match=r"expected a spool.*--spool"):
            Spool(tmp_path / name, 1 << 20, DEVICES)
    with sqlite3.connect(tmp_path / "other") as database:
        assert [row[0] for row in database.execute("SELECT name FROM sqlite_master")] == ["mine"]
    database.close()


def test_a_bucket_gives_what_it_holds_and_then_what_comes_in() -> None:
    bucket, now_us = Bucket(50, 0), 0
    limits = {"capacity": 50.0, "refill_per_s": 0.5}
    assert sum(bucket.take(1, now_us, **limits) for _ in range(10_000)) == 50
    assert sum(bucket.take(1, now_us + 10_000_000, **limits) for _ in range(10)) == 5
    assert sum(bucket.take(1, now_us - 10_000_000, **limits) for _ in range(10)) == 0
    assert sum(bucket.take(1, 1 << 60, **limits) for _ in range(100)) == 50


def test_a_session_ends_when_the_numbers_step_back_and_not_when_they_wrap() -> None:
    sessions = Sessions()
    numbers = [65534, 65535, 0, 5, 5, 6]  # a wrap, lost ones, one that came twice
    assert len({sessions.of(packet(number)) for number in numbers}) == 1
    before = sessions.session
    assert sessions.of(packet(0)) != before  # begun anew
    before = sessions.session
    assert sessions.of(packet(1)) == before
    assert sessions.of(packet(2, stream=7)) != before
    before = sessions.session
    assert sessions.of(b"short") == before
