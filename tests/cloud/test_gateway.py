"""From a device's port to a real broker: nothing lost, in order, and no stranger gets in."""

import gc
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.cloud.broker import make_client, parse_broker
from dynadeep.host_tools.cloud.gateway import Gateway, Limits, open_gateway
from dynadeep.host_tools.errors import BrokerError, GatewayError
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.place import open_link
from dynadeep.host_tools.toolchain import Firmware
from tests.cloud.secured import COLLECTOR, Mosquitto, authority
from tests.cloud.wearing import PATIENCE_S, Listener, Tee, Wire, packet, pushed, until
from tests.link.autonomous import autonomous, by_request, samples_of

Started = tuple[Gateway, list[str]]


@pytest.fixture
def wire() -> Iterator[Wire]:
    device_wire = Wire()
    yield device_wire
    device_wire.close()


@pytest.fixture
def listener(mosquitto: Mosquitto) -> Iterator[Listener]:
    subscriber = Listener(mosquitto.broker(COLLECTOR))
    yield subscriber
    subscriber.close()


@contextmanager
def running(
    mosquitto: Mosquitto, wire: Wire, spool: Path, device: str = "bed-7", *, shows: str = ""
) -> Iterator[Started]:
    """Yield a gateway at work in a thread, and what it says."""
    log: list[str] = []
    ended = threading.Event()
    broker = mosquitto.broker(shows or device)
    limits = Limits(most_per_minute=100_000)
    with open_gateway({device: wire.url}, broker, spool, log.append, limits=limits) as gateway:
        thread = threading.Thread(target=gateway.run, args=(ended.is_set,))
        thread.start()
        try:
            until(lambda: wire.read_by(log) == 1)
            yield gateway, log
        finally:
            ended.set()
            thread.join()


def send(wire: Wire, numbers: range) -> list[bytes]:
    packets = [packet(number) for number in numbers]
    for number, packet_bytes in zip(numbers, packets, strict=True):
        wire.send(pushed(packet_bytes, number))
    return packets


@pytest.mark.emulator
def test_the_packets_of_an_emulated_device_arrive_as_the_device_made_them(  # noqa: PLR0917
    mosquitto: Mosquitto,
    listener: Listener,
    wire: Wire,
    tmp_path: Path,
    bundle: Bundle,
    firmware: Callable[..., Firmware],
) -> None:
    samples, length = samples_of(bundle, 3), bundle.manifest.segment_length
    board = load_board("mps2-an386")
    with (
        running(mosquitto, wire, tmp_path / "spool") as (gateway, log),
        open_link(board, autonomous(bundle, board.name).elf) as link,
    ):
        link.port = Tee(link.port, wire)
        Device(link).give_samples(samples)
        until(lambda: len(listener.packets("bed-7")) == 3)
        (counts,) = gateway.counts()
    until(lambda: len([m for m in listener.all() if m.topic == "dynadeep/bed-7/status"]) == 2)
    assert listener.packets("bed-7") == by_request(firmware, samples, length)
    assert (counts["packets"], counts["dropped"], counts["line"]["damaged"]) == (3, {}, 0)
    messages = [message for message in listener.all() if message.topic == "dynadeep/bed-7/packets"]
    properties = [dict(message.properties.UserProperty) for message in messages]
    assert len({values["session"] for values in properties}) == 1
    assert len(properties[0]["session"]) == 16
    arrivals = [int(values["arrival"]) for values in properties]
    assert arrivals == sorted(arrivals)
    states = [json.loads(m.payload) for m in listener.all() if m.topic == "dynadeep/bed-7/status"]
    assert [values["state"] for values in states] == ["online", "offline"]
    assert any("reading socket" in line for line in log)


def test_packets_wait_while_the_broker_is_away_and_follow_in_order(
    mosquitto: Mosquitto, listener: Listener, wire: Wire, tmp_path: Path
) -> None:
    with running(mosquitto, wire, tmp_path / "spool") as (gateway, log):
        sent = send(wire, range(30))
        until(lambda: listener.packets("bed-7") == sent)
        mosquitto.kill()
        sent += send(wire, range(30, 90))
        until(lambda: gateway.lanes[0].reader.stored == 90)
        mosquitto.start()
        until(lambda: len(listener.packets("bed-7")) == 90)
    assert listener.packets("bed-7") == sent
    assert any("is gone" in line for line in log)


def test_what_nobody_subscribes_to_waits_in_the_spool(
    mosquitto: Mosquitto, wire: Wire, tmp_path: Path
) -> None:
    with running(mosquitto, wire, tmp_path / "spool") as (gateway, log):
        sent = send(wire, range(5))
        until(lambda: any("No matching subscribers" in line for line in log))
        assert gateway.counts()[0]["published"] == 0
        listener = Listener(mosquitto.broker(COLLECTOR))
        until(lambda: listener.packets("bed-7") == sent)
    listener.close()


def ever_stored(spool: Path) -> int:
    """Return how many packets a spool ever took, as another process sees it."""
    if not spool.is_file():
        return 0
    with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True)) as file:
        try:
            row = file.execute("SELECT seq FROM sqlite_sequence").fetchone()
        except sqlite3.OperationalError:
            return 0  # it has just begun
    return 0 if row is None else int(row[0])


def command(mosquitto: Mosquitto, wire: Wire, spool: Path) -> list[str]:
    folder = mosquitto.certificates
    return [
        *(sys.executable, "-m", "tests.cloud.command", "gateway", "--port", wire.url),
        *("--device", "bed-7", "--broker", mosquitto.url, "--cafile", str(folder / "ca.crt")),
        *("--cert", str(folder / "{device}.crt"), "--key", str(folder / "{device}.key")),
        *("--spool", str(spool), "--most-per-minute", "100000", "--json", "-"),
    ]


def lines(log: TextIO) -> list[str]:
    """Return what a process wrote to a file so far, whose own place in it stays."""
    return Path(log.name).read_text(encoding="utf-8").splitlines()


def test_a_gateway_that_is_killed_loses_nothing_of_what_it_had_read(
    mosquitto: Mosquitto, listener: Listener, wire: Wire, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    words = command(mosquitto, wire, spool)
    log = (tmp_path / "log").open("w", encoding="utf-8")
    first = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=log)
    until(lambda: wire.read_by(lines(log)) == 1)
    mosquitto.kill()
    sent = send(wire, range(40))
    until(lambda: ever_stored(spool) == 40)
    first.send_signal(signal.SIGKILL)
    first.wait()
    mosquitto.start()
    second = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
    until(lambda: listener.packets("bed-7") == sent)
    until(lambda: wire.read_by(lines(log)) == 2)
    sent += send(wire, range(40, 45))
    until(lambda: listener.packets("bed-7") == sent)
    second.send_signal(signal.SIGTERM)
    output, _ = second.communicate()
    log.close()
    assert second.returncode == 0
    (device,) = json.loads(output)["devices"]
    assert (device["packets"], device["dropped"]) == (5, {})


def test_a_port_that_goes_away_is_opened_again_and_begins_a_session(
    mosquitto: Mosquitto, listener: Listener, wire: Wire, tmp_path: Path
) -> None:
    with running(mosquitto, wire, tmp_path / "spool") as (_, log):
        sent = send(wire, range(2))
        until(lambda: listener.packets("bed-7") == sent)
        wire.hang_up()
        until(lambda: wire.read_by(log) == 2)
        sent += send(wire, range(2, 4))
        until(lambda: listener.packets("bed-7") == sent)
    messages = [message for message in listener.all() if message.topic == "dynadeep/bed-7/packets"]
    sessions = {
        message.payload: dict(message.properties.UserProperty)["session"] for message in messages
    }
    assert (
        len({sessions[packet] for packet in sent[:2]})
        == len({sessions[packet] for packet in sent[2:]})
        == 1
    )
    assert sessions[sent[0]] != sessions[sent[2]]


def nothing_gets_in(listener: Listener, gateway: Gateway) -> None:
    """Send a packet of an honest device, after which what came before would have come too."""
    assert gateway.counts()[0]["published"] == 0
    assert [message for message in listener.all() if "bed-8" in message.topic] == []


def test_a_device_that_speaks_as_another_gets_nothing_in(
    mosquitto: Mosquitto, listener: Listener, wire: Wire, tmp_path: Path
) -> None:
    with running(mosquitto, wire, tmp_path / "spool", "bed-8", shows="bed-7") as (gateway, log):
        send(wire, range(3))
        until(lambda: gateway.counts()[0]["refused"] > 0)
        until(lambda: gateway.lanes[0].reader.stored == 3)
        assert any("rules" in line or "Not authorized" in line for line in log)
        nothing_gets_in(listener, gateway)
        assert gateway.counts()[0]["in_spool"] == 3  # none is lost: the rules may be mended


def test_a_device_that_calls_itself_as_the_collector_does_takes_nothing_away(
    mosquitto: Mosquitto, listener: Listener, wire: Wire, tmp_path: Path
) -> None:
    listener.close()
    with running(mosquitto, wire, tmp_path / "spool") as (gateway, _):
        sent = send(wire, range(3))
        until(lambda: gateway.counts()[0]["published"] == 3)
    thief, here = make_client(mosquitto.broker("bed-8"), COLLECTOR), threading.Event()
    thief.on_connect = lambda *_: here.set()
    thief.connect("localhost", mosquitto.port, clean_start=True)
    thief.loop_start()
    assert here.wait(PATIENCE_S)
    thief.disconnect()
    thief.loop_stop()
    late = Listener(mosquitto.broker(COLLECTOR))
    until(lambda: late.packets("bed-7") == sent)
    late.close()


def test_a_certificate_of_another_authority_gets_nothing_in(
    mosquitto: Mosquitto, listener: Listener, wire: Wire, tmp_path: Path
) -> None:
    forged = tmp_path / "forged"
    forged.mkdir()
    authority(forged, ("bed-8",), "another authority")
    log: list[str] = []
    broker = mosquitto.broker("bed-8", forged)
    with open_gateway({"bed-8": wire.url}, broker, tmp_path / "spool", log.append) as gateway:
        gateway.run(lambda: any("closes the connection" in line for line in log))
        nothing_gets_in(listener, gateway)


def test_a_stranger_without_a_certificate_gets_nothing_in(
    mosquitto: Mosquitto, listener: Listener, wire: Wire, tmp_path: Path
) -> None:
    log: list[str] = []
    broker = parse_broker(mosquitto.url, cafile=str(mosquitto.certificates / "ca.crt"))
    with open_gateway({"bed-8": wire.url}, broker, tmp_path / "spool", log.append) as gateway:
        gateway.run(lambda: any(mosquitto.url in line for line in log))
        nothing_gets_in(listener, gateway)


# The MQTT client leaves a socket behind whose handshake failed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_is_not_who_it_says_gets_no_packet(
    mosquitto: Mosquitto, listener: Listener, wire: Wire, tmp_path: Path
) -> None:
    forged = tmp_path / "forged"
    forged.mkdir()
    authority(forged, (), "another authority")
    own = mosquitto.certificates
    broker = parse_broker(
        mosquitto.url,
        cafile=str(forged / "ca.crt"),
        cert=str(own / "bed-8.crt"),
        key=str(own / "bed-8.key"),
    )
    log: list[str] = []
    with open_gateway({"bed-8": wire.url}, broker, tmp_path / "spool", log.append) as gateway:
        gateway.run(lambda: any("cannot be reached" in line for line in log))
        nothing_gets_in(listener, gateway)
        gc.collect()


WRONG = {
    "an address of something else": (["--broker", "http://localhost"], "mqtt://HOST"),
    "an address without a host": (["--broker", "mqtt://"], "mqtt://HOST"),
    "a port that is none": (["--broker", "mqtt://localhost:99999"], "mqtt://HOST"),
    "a password in the address": (["--broker", "mqtt://me:secret@localhost"], "--password-file"),
    "TLS files without TLS": (["--broker", "mqtt://localhost", "--cafile", "ca"], "mqtts://"),
    "a certificate alone": (["--broker", "mqtts://localhost", "--cert", "a"], "go together"),
    "a password of nobody": (["--broker", "mqtt://h", "--password-file", "a"], "--username"),
    "no password file": (
        ["--broker", "mqtt://h", "--username", "{device}", "--password-file", "{device}.none"],
        "bed-7.none",
    ),
    "no certificate file": (["--broker", "mqtts://h", "--cafile", "none"], "--cafile none"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_way_to_a_broker_that_is_none_is_refused_by_name(wrong, tmp_path, capsys) -> None:
    options, message = WRONG[wrong]
    words = ["gateway", "--port", "loop://", "--device", "bed-7", "--spool", str(tmp_path / "s")]
    assert run([*words, *options]) == BrokerError.exit_status
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("device", ["", "../bed", "bed/7", "+", "#", "bed 7", "b" * 65, "-bed"])
def test_a_device_whose_name_cannot_stand_in_a_topic_is_refused(device, tmp_path, capsys) -> None:
    words = ["gateway", "--port", "loop://", f"--device={device}", "--broker", "mqtt://localhost"]
    assert run([*words, "--spool", str(tmp_path / "s")]) == GatewayError.exit_status
    assert not (tmp_path / "s").exists()


def test_each_port_has_its_device(tmp_path, capsys) -> None:
    words = ["gateway", "--broker", "mqtt://localhost", "--spool", str(tmp_path / "s")]
    assert run([*words, "--port", "loop://", "--device", "a", "--device", "b"]) == 2
    twice = ["--port", "loop://", "--port", "loop://", "--device", "a", "--device", "b"]
    assert run([*words, *twice]) == 2
    assert "given twice" in capsys.readouterr().err


def test_without_the_extra_the_command_says_which_to_install(monkeypatch, capsys) -> None:
    monkeypatch.setattr("dynadeep.host_tools.cloud.extra.find_spec", lambda name: None)
    words = ["gateway", "--port", "loop://", "--device", "a", "--broker", "mqtt://localhost"]
    assert run(words) == 3
    assert "pip install 'dynadeep[cloud]'" in capsys.readouterr().err
