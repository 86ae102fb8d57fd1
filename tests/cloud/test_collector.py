"""The collector: what comes is checked, placed, on the disk, and in the archive once."""

import sqlite3
from pathlib import Path

import pytest

from dynadeep.codegen.errors import BusyError
from dynadeep.host_tools.cloud import allowance as price
from dynadeep.host_tools.cloud import compact, journal, parts, schema
from dynadeep.host_tools.cloud.collector import Collector, Message
from dynadeep.host_tools.errors import ArchiveError

from .sending import NOW_US, START_US, collect, drain, message, models_of, payload, rows


@pytest.fixture(scope="module")
def manifest(bundle):
    return bundle.manifest


def open_collector(root: Path, bundle) -> Collector:
    return Collector(root, models_of(bundle), now_us=lambda: NOW_US)


def test_packets_stand_in_the_archive_with_their_times_gaps_and_restarts(
    tmp_path, bundle, manifest
):
    sent = [message(manifest, i) for i in (0, 1, 4)]
    sent += [message(manifest, i, at=10 + i, salt=1) for i in (0, 1)]
    collect(tmp_path, bundle, sent)
    assert rows(tmp_path, "kind", "stream", "index", "count", "sequence") == [
        ("packet", 0, 0, 1, 0), ("packet", 0, 1, 1, 1), ("gap", 0, 2, 2, None),
        ("packet", 0, 4, 1, 4), ("restart", 1, 0, 0, None), ("packet", 1, 0, 1, 0),
        ("packet", 1, 1, 1, 1),
    ]  # fmt: skip
    packets = rows(tmp_path, "packet", "time", "level", "model")
    assert packets[0][0] == sent[0].payload
    assert round(packets[3][1].timestamp() * 1e6) == pytest.approx(
        START_US + 4 * manifest.segment_length / manifest.rate_hz * 1e6, abs=1
    )
    assert f"{packets[0][3]:08x}" == manifest.model_id[:8]


def test_what_comes_twice_is_archived_once_over_flushes_and_processes(tmp_path, bundle, manifest):
    sent = [message(manifest, i) for i in range(200)]
    collect(tmp_path, bundle, sent[:120])
    done = collect(tmp_path, bundle, sent)
    assert done.counts["repeated"] == 120
    assert rows(tmp_path, "index") == [(i,) for i in range(200)]


def test_a_packet_that_comes_late_makes_its_written_gap_smaller(tmp_path, bundle, manifest):
    sent = [message(manifest, i) for i in range(300)]
    collect(
        tmp_path, bundle, [delivery for i, delivery in enumerate(sent) if i not in range(10, 20)]
    )
    assert ("gap", 10, 10) in rows(tmp_path, "kind", "index", "count")
    collect(tmp_path, bundle, [sent[13], sent[14], sent[13], sent[19]])
    gaps = [row for row in rows(tmp_path, "kind", "index", "count") if row[0] == "gap"]
    assert gaps == [("gap", 10, 3), ("gap", 15, 4)]
    times = [time for kind, time in rows(tmp_path, "kind", "time")]
    assert times == sorted(times)


def test_a_gap_over_midnight_stands_in_both_days(tmp_path, bundle, manifest):
    at = 12 * 3600 * manifest.rate_hz // manifest.segment_length
    collect(tmp_path, bundle, [message(manifest, i) for i in (at - 3, at + 4)])
    gaps = [row for row in rows(tmp_path, "kind", "index", "count", "time") if row[0] == "gap"]
    assert sum(count for _, _, count, _ in gaps) == 6
    assert [time.day for *_, time in gaps] == [1, 2]


def test_whoever_sends_rubbish_gets_rows_of_it_and_no_traceback(tmp_path, bundle, manifest):
    whole = payload(manifest, 0)
    flipped = bytearray(whole)
    flipped[20] ^= 1
    wrong = [
        b"", b"\0", whole[:-1], bytes(flipped), whole + b"x", bytes(200_000),
        payload(manifest, 0, level=9), payload(manifest, 0, quantization=1),
        payload(manifest, 0, payload=b"12"),
    ]  # fmt: skip
    unknown = payload(manifest, 5, model_id=b"\x01\x02\x03\x04")
    messages = [Message("wrist-1", content, str(START_US)) for content in [*wrong, unknown]]
    done = collect(tmp_path, bundle, messages)
    kinds = [kind for (kind,) in rows(tmp_path, "kind")]
    assert kinds == ["unknown_model"] + ["bad_packet"] * len(wrong)
    assert done.counts["bad_packet"] == len(wrong)
    details = {detail for kind, detail in rows(tmp_path, "kind", "detail")}
    assert "no bundle of model 01020304" in details
    assert any("200,000 bytes" in detail for detail in details)


@pytest.mark.parametrize(
    "name", ["..", "../../etc", "", ".hidden", "a/b", "a" * 65, "wrist\n1", "ä", "a\0b", "-x"]
)
def test_a_device_whose_name_is_no_folders_is_counted_and_writes_nothing(
    tmp_path, bundle, manifest, name
):
    done = collect(tmp_path / "archive", bundle, [message(manifest, 0, device=name)])
    assert done.counts == {"refused_name": 1}
    left = [path.name for path in tmp_path.rglob("*") if not path.name.startswith(".")]
    assert left == ["archive"]


@pytest.mark.parametrize(
    "arrival", [None, "", "x", "-5", "1" * 40, "0", str(NOW_US * 2), "١٢٣", "1e15"]
)
def test_a_stamp_that_cannot_be_is_replaced_by_the_collectors_clock(
    tmp_path, bundle, manifest, arrival
):
    done = collect(tmp_path, bundle, [Message("a", payload(manifest, 3), arrival, "no session")])
    assert done.counts["without_arrival"] == 1
    assert rows(tmp_path, "arrival")[0][0].timestamp() * 1e6 == NOW_US


def test_a_flood_is_bounded_told_and_leaves_other_devices_alone(tmp_path, bundle, manifest):
    flood = [Message("loud", b"rubbish %d" % i, str(START_US)) for i in range(3000)]
    flood += [message(manifest, i % 2, at=i * 9, salt=i, device="restless") for i in range(3000)]
    quiet = [message(manifest, i, device="quiet") for i in range(50)]
    done = collect(tmp_path, bundle, flood + quiet)
    most = price.CAPACITY / price.ODD + 2
    archived = rows(tmp_path, "device", "kind", "detail")
    assert sum(device == "loud" for device, *_ in archived) <= most
    assert sum(kind == "restart" for _, kind, _ in archived) <= most
    assert sum(device == "quiet" for device, *_ in archived) == 50
    assert done.counts["flooded"] > 1000
    assert sum(detail is not None and "flood" in detail for *_, detail in archived) == 2


def test_after_a_flood_it_is_told_how_much_was_refused(tmp_path, bundle, manifest):
    now = [NOW_US]
    with Collector(tmp_path, models_of(bundle), now_us=lambda: now[0]) as collector:
        for i in range(1100):
            collector.take(Message("loud", b"%d" % i, str(START_US)))
        now[0] += 60_000_000
        collector.take(Message("loud", b"again", str(START_US)))
        collector.commit()
        drain(collector)
    details = [detail for (detail,) in rows(tmp_path, "detail")]
    assert "100 packets before this were refused: a flood" in details


def test_only_so_many_devices_are_let_in(tmp_path, bundle, manifest, monkeypatch):
    monkeypatch.setattr("dynadeep.host_tools.cloud.collector.DEVICES_MAX", 3)
    messages = [message(manifest, 0, device=f"d{i}") for i in range(5)]
    assert collect(tmp_path, bundle, messages[:2]).counts["packet"] == 2
    assert collect(tmp_path, bundle, messages).counts == {
        "repeated": 2, "packet": 1, "refused_device": 2,
    }  # fmt: skip


def test_more_devices_than_fit_memory_are_remembered(tmp_path, bundle, manifest, monkeypatch):
    monkeypatch.setattr("dynadeep.host_tools.cloud.collector.DEVICES_CACHED", 2)
    messages = [message(manifest, i, device=f"d{i % 5}") for i in range(50)]
    with open_collector(tmp_path, bundle) as collector:
        for delivery in [*messages, *messages]:
            collector.take(delivery)
            collector.commit()
        drain(collector)
        assert collector.counts["repeated"] == 50
    assert sum(kind == "packet" for (kind,) in rows(tmp_path, "kind")) == 50


def test_one_collector_at_a_time_has_an_archive(tmp_path, bundle):
    with (
        open_collector(tmp_path / "archive", bundle),
        pytest.raises(BusyError, match="in use by"),
    ):
        open_process_like(tmp_path / "archive", bundle)


def open_process_like(root: Path, bundle) -> None:
    """Open a collector as another process does, for ours may hold a folder twice."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: open_collector(root, bundle).close()).result()


def test_a_journal_of_another_format_or_none_is_named(tmp_path, bundle):
    path = tmp_path / journal.NAME
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 7")
    with pytest.raises(ArchiveError, match="format 7"):
        open_collector(tmp_path, bundle)
    file.close()
    path.write_bytes(b"no database" * 100)
    with pytest.raises(ArchiveError, match="Is there room"):
        open_collector(tmp_path, bundle)


class Killed(BaseException):
    """As SIGKILL: nothing after it is done."""


def test_a_kill_at_any_step_of_a_flush_loses_and_doubles_nothing(
    tmp_path, bundle, manifest, monkeypatch
):
    """Die at the first, second, ... of all calls that change the disk, and go on from there."""
    sent = [message(manifest, i) for i in range(60) if i not in (7, 8)] + [message(manifest, 7)]
    for steps in range(40):
        root = tmp_path / str(steps)
        collect(root, bundle, sent[:20])
        collect(root, bundle, sent[20:22])
        left = [steps]
        with monkeypatch.context() as dying:
            for owner, name in (
                (parts, "write"), (compact, "_remove"), (journal.Journal, "finish"),
                (journal.Journal, "begin_batch"), (journal.Journal, "commit"),
            ):  # fmt: skip
                dying.setattr(owner, name, dies(getattr(owner, name), left))
            finished = not killed(lambda root=root: collect(root, bundle, sent))
        collect(root, bundle, sent)
        places = rows(root, "kind", "index")
        assert places == [("gap" if i == 8 else "packet", i) for i in range(60)], steps
        if finished:
            return
    raise AssertionError("it never came to the end")


def dies(function, left: list[int]):
    def call(*args, **options):
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        return function(*args, **options)

    return call


def killed(work) -> bool:
    try:
        work()
    except Killed:
        return True
    return False


def test_schema_of_the_journal_is_that_of_the_archive():
    fields = [
        name for name in journal.Row.__dataclass_fields__ if name not in ("device", "day", "late")
    ]
    assert fields == [field.name for field in schema.SCHEMA]
