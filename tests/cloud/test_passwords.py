"""A broker with names and passwords, as docs/deploy.md has it: who is wrong gets nothing in."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dynadeep.host_tools.cloud.broker import Broker
from dynadeep.host_tools.cloud.gateway import Gateway, open_gateway
from tests.cloud.conftest import DEVICES
from tests.cloud.secured import COLLECTOR, Mosquitto, MosquittoOfPasswords
from tests.cloud.wearing import Listener, Wire, packet, pushed, until

PASSWORDS = {name: f"of {name} a long one" for name in (*DEVICES, COLLECTOR)}


@pytest.fixture
def make_mosquitto() -> Callable[[Path, Path], Mosquitto]:
    return partial(MosquittoOfPasswords, passwords=PASSWORDS)


@pytest.fixture
def heard(mosquitto: MosquittoOfPasswords) -> Iterator[Listener]:
    listener = Listener(mosquitto.broker_of(COLLECTOR, PASSWORDS[COLLECTOR]))
    yield listener
    listener.close()


def send(
    folder: Path, broker: Broker, device: str, ended: Callable[[Gateway, list[str]], bool]
) -> list[str]:
    """Have a gateway send three packets as a device until ``ended``; return what it said."""
    wire, log = Wire(), list[str]()
    stop = threading.Event()
    with open_gateway(
        {device: wire.url}, broker, folder / f"{device}.spool", log.append
    ) as gateway:
        thread = threading.Thread(target=gateway.run, args=(stop.is_set,))
        thread.start()
        try:
            until(lambda: wire.read_by(log) == 1)
            for number in range(3):
                wire.send(pushed(packet(number), number))
            until(lambda: gateway.lanes[0].reader.stored == 3)
            until(lambda: ended(gateway, log))
        finally:
            stop.set()
            thread.join()
            wire.close()
    return log


def received(heard: Listener) -> int:
    """Return how many packets of bed-7 came, repeats included."""
    return [message.topic for message in heard.all()].count("dynadeep/bed-7/packets")


def published(gateway: Gateway, _said: list[str]) -> bool:
    return gateway.lanes[0].publisher.flow.published == 3


def refused(gateway: Gateway, log: list[str]) -> bool:
    assert gateway.lanes[0].publisher.flow.published == 0
    words = ("refuses the device", "closes the connection", "rules", "Not authorized")
    return any(word in line for word in words for line in log)


def test_a_device_with_its_password_is_let_in(mosquitto, heard, tmp_path) -> None:
    send(tmp_path, mosquitto.broker_of("bed-7", PASSWORDS["bed-7"]), "bed-7", published)
    until(lambda: received(heard) == 3)


WRONG: dict[str, Callable[[MosquittoOfPasswords], Any]] = {
    "a stranger without a name": lambda broker: broker.broker_of("bed-8"),
    "a stranger with a name": lambda broker: broker.broker_of("bed-9", "anything"),
    "a wrong password": lambda broker: broker.broker_of("bed-8", "of bed-8 a long one?"),
    "the password of another": lambda broker: broker.broker_of("bed-8", PASSWORDS["bed-7"]),
    "a name alone": lambda broker: broker.broker_of("bed-8", "", password_file=None),
    "another device": lambda broker: broker.broker_of("bed-7", PASSWORDS["bed-7"]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_nothing_gets_in_of(wrong, mosquitto, heard, tmp_path) -> None:
    """Who is wrong sends as bed-8; what bed-7 sends after that comes, and nothing else."""
    send(tmp_path, WRONG[wrong](mosquitto), "bed-8", refused)
    send(tmp_path, mosquitto.broker_of("bed-7", PASSWORDS["bed-7"]), "bed-7", published)
    until(lambda: received(heard) == 3)
    assert [message.topic for message in heard.all_sent() if "bed-7" not in message.topic] == []


def test_a_device_reads_nothing(mosquitto, heard, tmp_path) -> None:
    listener = Listener(mosquitto.broker_of("bed-8", PASSWORDS["bed-8"]), "bed-8")
    send(tmp_path, mosquitto.broker_of("bed-7", PASSWORDS["bed-7"]), "bed-7", published)
    until(lambda: received(heard) == 3)
    assert listener.all_sent() == []
    listener.close()
