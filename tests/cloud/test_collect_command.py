"""``collect`` and ``archive``: from a real broker into an archive, killed on the way."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from dynadeep.host_tools.cli import run
from dynadeep.host_tools.cloud.broker import parse_broker
from dynadeep.host_tools.cloud.collect import Subscriber, message_of
from dynadeep.host_tools.cloud.collector import Collector, Message
from dynadeep.host_tools.cloud.journal import NAME, waiting_in
from dynadeep.host_tools.errors import BrokerError

from .open_broker import open_broker
from .secured import free_port
from .sending import NOW_US, START_US, message, models_of, payload, rows


def publish(port: int, messages: list[tuple[str, Message]]) -> None:
    """Publish packets as a gateway does, and wait until the broker has them."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.max_inflight_messages_set(0)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = []
    for topic, content in messages:
        properties = Properties(PacketTypes.PUBLISH)
        if content.arrival is not None:
            properties.UserProperty = [
                ("arrival", content.arrival),
                ("session", content.session or ""),
            ]
        sent.append(client.publish(topic, content.payload, qos=1, properties=properties))
    for info in sent:
        info.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def start(port: int, root: Path, bundle, *more: str) -> subprocess.Popen[str]:
    command = [
        "collect",
        "--archive",
        str(root),
        "--broker",
        f"mqtt://127.0.0.1:{port}",
        "--bundles",
        str(bundle.folder),
        *more,
    ]
    program = "import sys; from dynadeep.host_tools.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", program, *command], stdout=subprocess.PIPE, text=True
    )


def wait_for(what) -> None:
    for _ in range(1200):
        if what():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass in a minute")


def collected(root: Path) -> int:
    """Return the packets of an archive, those that wait included."""
    there = sum(kind == "packet" for (kind,) in rows(root, "kind")) if root.is_dir() else 0
    return there + (waiting_in(root) if root.is_dir() else 0)


def test_a_collector_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path, bundle):
    root, manifest = tmp_path / "archive", bundle.manifest
    sent = [message(manifest, i // 3, device=f"d{i % 3}") for i in range(1003)]
    topics = [(f"dynadeep/{published.device}/packets", published) for published in sent]
    with open_broker(tmp_path / "broker") as port:
        let_the_broker_keep(port, "dynadeep-collect")
        for part in range(2):
            process = start(port, root, bundle, "--every", "0.2")
            publish(port, topics[500 * part : 500 * (part + 1)])
            try:
                wait_for(lambda part=part: collected(root) > 500 * part + 100)
            finally:
                process.kill()
                process.communicate()
        process = start(port, root, bundle, "--every", "0.2", "--json", "-")
        publish(port, topics[1000:])
        wait_for(lambda: collected(root) >= 1003)
        process.send_signal(signal.SIGTERM)
        counts = json.loads(process.communicate()[0])
        assert process.returncode == 0
    assert counts["packet"] >= 3
    assert sorted(rows(root, "device", "kind", "index")) == sorted(
        (f"d{i % 3}", "packet", i // 3) for i in range(1003)
    )
    assert waiting_in(root) == 0


def let_the_broker_keep(port: int, client_id: str) -> None:
    """Subscribe as a collector does and leave: from then on the broker keeps what is published."""
    client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv5)
    subscribed: list[int] = []
    client.on_subscribe = lambda *_: subscribed.append(1)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.subscribe("dynadeep/+/packets", qos=1)
    wait_for(lambda: client.loop(0.05) or subscribed)
    client.disconnect()


def test_hostile_topics_and_payloads_are_counted_and_nothing_ends(tmp_path, bundle):
    root, manifest = tmp_path / "archive", bundle.manifest
    good = message(manifest, 0)
    hostile = [
        ("dynadeep/../packets", good), ("dynadeep//packets", good), ("dynadeep/ä b/packets", good),
        ("dynadeep/$x/packets", good), (f"dynadeep/{'a' * 200}/packets", good),
        ("dynadeep/wrist-1/packets", Message("", b"", None, None)),
        ("dynadeep/wrist-1/packets", Message("", b"x" * 60_000, "never", "x" * 300)),
        ("dynadeep/wrist-1/packets", Message("", payload(manifest, 1), "-1", "")),
    ]  # fmt: skip
    with open_broker(tmp_path / "broker") as port:
        collector = Collector(root, models_of(bundle))
        subscriber = Subscriber(parse_broker(f"mqtt://127.0.0.1:{port}"), collector, "test")
        turns = iter(range(100_000))

        def enough() -> bool:
            if next(turns) == 5:
                publish(port, [*hostile, ("dynadeep/wrist-1/packets", good)])
            return collector.counts.total() >= 13

        subscriber.run(enough, 3600.0)
        collector.close()
    assert collector.counts["refused_name"] == 5
    assert collector.counts["bad_packet"] == 2
    assert sum(kind == "packet" for (kind,) in rows(root, "kind")) == 2
    assert [path.name for path in tmp_path.iterdir()] != []
    assert {path.name for path in root.iterdir() if path.is_dir()} == {"device=wrist-1"}


def test_a_message_of_paho_is_read_whatever_it_says():
    received = MQTTMessage(mid=1, topic=b"dynadeep/\xff/packets")
    assert message_of(received).device == ""
    received = MQTTMessage(mid=1, topic=b"dynadeep/a/packets")
    received.properties = Properties(PacketTypes.PUBLISH)
    received.properties.UserProperty = [("arrival", "1"), ("arrival", "2"), ("x", "y")]
    assert message_of(received) == Message("a", b"", "1", None)


def test_a_broker_that_is_not_there_or_refuses_is_named(tmp_path, bundle):
    with Collector(tmp_path, models_of(bundle), now_us=lambda: NOW_US) as collector:
        nobody = parse_broker(f"mqtt://127.0.0.1:{free_port()}")
        with pytest.raises(BrokerError, match="cannot be reached"):
            Subscriber(nobody, collector, "test").run(lambda: False, 60.0)
        with open_broker(tmp_path / "broker", "allow_anonymous false") as port:
            closed = parse_broker(f"mqtt://127.0.0.1:{port}")
            with pytest.raises(BrokerError, match="does not let us in"):
                Subscriber(closed, collector, "test").run(lambda: False, 60.0)


def test_a_collector_whose_place_another_takes_again_and_again_says_so_and_ends(tmp_path, bundle):
    with (
        open_broker(tmp_path / "broker") as port,
        Collector(tmp_path / "archive", models_of(bundle)) as collector,
    ):

        def taken() -> bool:
            let_the_broker_keep(port, "test")
            return False

        broker = parse_broker(f"mqtt://127.0.0.1:{port}")
        with pytest.raises(BrokerError, match="another collector call itself test"):
            Subscriber(broker, collector, "test").run(taken, 3600.0)


def test_signals_that_come_at_once_end_a_collector_in_order(tmp_path, bundle):
    """``timeout`` signals a process, and then its group."""
    with open_broker(tmp_path / "broker") as port:
        process = start(port, tmp_path / "archive", bundle)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert (process.communicate()[0], process.returncode) == ("nothing came\n", 0)


def archived(tmp_path: Path, bundle) -> Path:
    from .sending import collect

    root = tmp_path / "archive"
    sent = [message(bundle.manifest, i) for i in (0, 1, 2, 6)]
    collect(root, bundle, [*sent, Message("wrist-1", b"x", str(START_US))])
    return root


def test_archive_shows_each_day_and_what_it_lacks(tmp_path, bundle, capsys):
    root = archived(tmp_path, bundle)
    assert run(["archive", str(root), "--bundles", str(bundle.folder), "--json", "-"]) == 0
    output, shown = capsys.readouterr()
    (day,) = json.loads(output)["days"]
    size = 4 * len(payload(bundle.manifest, 0))
    gain = 2 * 4 * bundle.manifest.segment_length / size
    assert day == {
        "device": "wrist-1", "day": "2026-03-01", "segments": 4, "levels": {"1": 4}, "bytes": size,
        "byte_cg": pytest.approx(gain), "gaps": 1, "lost": 3, "restarts": 0, "unknown_models": 0,
        "bad_packets": 1,
    }  # fmt: skip
    assert f"{gain:.2f}" in shown


def test_an_archive_whose_collector_is_just_beginning_has_nothing_that_waits(tmp_path, capsys):
    (tmp_path / NAME).touch()  # SQLite's file before its first table
    assert run(["archive", str(tmp_path)]) == 0
    assert "waiting 0" in capsys.readouterr().out
    (tmp_path / NAME).write_bytes(b"no database" * 100)
    assert run(["archive", str(tmp_path)]) == 17


def test_archive_names_what_is_damaged_and_shows_the_rest(tmp_path, bundle, capsys):
    root = archived(tmp_path, bundle)
    (root / "device=wrist-1" / "day=2026-03-01" / "9.parquet").write_bytes(b"PAR1")
    assert run(["archive", str(root)]) == 17
    output, error = capsys.readouterr()
    assert "wrist-1" in output
    assert "9.parquet: no whole Parquet file" in error


def test_a_device_that_an_archive_has_nothing_of_is_named(tmp_path, bundle, capsys):
    root = archived(tmp_path, bundle)
    assert run(["archive", str(root), "--device", "wrist-9"]) == 17
    assert "nothing of device wrist-9" in capsys.readouterr().err


def test_archive_brings_in_what_a_killed_collector_left(tmp_path, bundle, capsys):
    root = tmp_path / "archive"
    with Collector(root, models_of(bundle), now_us=lambda: NOW_US) as collector:
        collector.take(message(bundle.manifest, 0))
        collector.commit()
    assert run(["archive", str(root)]) == 0
    assert "1 rows are on the disk and not in Parquet yet" in capsys.readouterr().out
    assert run(["archive", str(root), "--flush", "--bundles", str(bundle.folder)]) == 0
    assert rows(root, "index") == [(0,)]
