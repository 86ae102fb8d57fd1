"""Devices that send by themselves, at ports that a gateway opens, and who reads what arrives."""

import queue
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from dynadeep.host_tools.cloud.broker import Broker, make_client
from dynadeep.host_tools.codec.packet import Packet, encode
from dynadeep.host_tools.link.base import Port
from dynadeep.host_tools.link.frames import CRC, END, HEADER, cobs_encode
from dynadeep.host_tools.link.protocol import Command
from tests.cloud.secured import COLLECTOR

PATIENCE_S = 60.0


def until(what: Callable[[], object]) -> None:
    """Wait for something that must come true."""
    end_s = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end_s, "it did not come true"
        time.sleep(0.02)


def packet(sequence: int, stream: int = 0, size: int = 20) -> bytes:
    """Return a whole packet of a model that nobody knows."""
    return encode(Packet(1, b"\1\2\3\4", stream, sequence % 65536, bytes([sequence % 251]) * size))


def pushed(payload: bytes, number: int, command: int = Command.PACKET) -> bytes:
    """Return the frame in which a device sends something by itself."""
    body = HEADER.pack(number % 65536, command, 0) + payload
    return END + cobs_encode(body + CRC.pack(zlib.crc32(body))) + END


class Wire:
    """The far end of a serial port: what is sent while nobody listens is lost, as on a UART."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self.listener: socket.socket | None = None
        self.opened = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                listener, _ = self._server.accept()
            except OSError:
                return
            self.hang_up()
            self.listener = listener
            self.opened += 1

    def read_by(self, lines: Iterable[str]) -> int:
        """Return how often a gateway that said this began to read here.

        What is sent before is lost, and so is what is sent before the connection is accepted here.
        """
        return min(sum(": reading " in line for line in lines), self.opened)

    def send(self, data: bytes) -> None:
        try:
            if self.listener is not None:
                self.listener.sendall(data)
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        if self.listener is not None:
            self.listener.close()
            self.listener = None

    def close(self) -> None:
        self._server.close()
        self.hang_up()


class Tee:
    """A port whose bytes go to a wire as well: two listeners to one board."""

    def __init__(self, port: Port, wire: Wire):
        self._port, self._wire = port, wire

    def read(self, size: int = 1) -> bytes:
        data = self._port.read(size)
        self._wire.send(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


class Listener:
    """Who subscribed to everything, with a session that outlives a lost connection."""

    def __init__(self, broker: Broker, name: str = COLLECTOR):
        self.messages: queue.SimpleQueue[MQTTMessage] = queue.SimpleQueue()
        self.received: list[MQTTMessage] = []
        self._answered = threading.Event()
        self.client = make_client(broker, name)
        self.client.on_message = lambda _client, _data, message: self.messages.put(message)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = _subscribe
        self.client.on_subscribe = lambda *_: self._answered.set()
        expiry = Properties(PacketTypes.CONNECT)
        expiry.SessionExpiryInterval = 3600
        self.client.connect(broker.host, broker.port, clean_start=False, properties=expiry)
        self.client.loop_start()
        assert self._answered.wait(PATIENCE_S)

    def all(self) -> list[MQTTMessage]:
        """Return what has come so far, in its order."""
        while not self.messages.empty():
            self.received.append(self.messages.get())
        return self.received

    def all_sent(self) -> list[MQTTMessage]:
        """Return all that the broker has sent until now: it answers a request behind them."""
        self._answered.clear()
        self.client.subscribe("dynadeep/nothing", 1)
        assert self._answered.wait(PATIENCE_S)
        return self.all()

    def packets(self, device: str) -> list[bytes]:
        """Return the packets that came from a device, repeats left out."""
        topic = f"dynadeep/{device}/packets"
        return list(dict.fromkeys(bytes(m.payload) for m in self.all() if m.topic == topic))

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def _subscribe(client: Client, *_: object) -> None:
    client.subscribe("dynadeep/#", 1)
