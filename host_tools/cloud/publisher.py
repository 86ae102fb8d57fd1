"""From the spool to the broker: each device's packets in order, until the broker surely has them.

A broker acknowledges what it holds in memory, and saves that some seconds later. So a packet stays
in the spool for a while after it was acknowledged, and all that are there are sent again whenever
the connection was lost: the broker may have been killed meanwhile. Who reads them drops repeats.
"""

import json
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt.client import MQTT_ERR_SUCCESS, Client, ConnectFlags, DisconnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from dynadeep.host_tools.cloud.broker import (
    KEEP_ALIVE_S,
    PACKETS_TOPIC,
    STATUS_TOPIC,
    Broker,
    make_client,
)
from dynadeep.host_tools.cloud.spool import Spool, Stored

QOS = 1
WINDOW = 20
"""Packets on their way at a time: what Mosquitto grants unless it is told otherwise."""

RECONNECT_S = 1.0
REFUSED_S = 5.0
"""How long to wait after the broker refused us, or a packet, or nobody subscribed to it."""

NOBODY = 0x10
"""Reason code of MQTT 5: no matching subscribers."""

Say = Callable[[str], None]


def status_text(state: str) -> str:
    """Return what the status topic says, with the time in Unix microseconds."""
    return json.dumps({"state": state, "time": time.time_ns() // 1000})


@dataclass
class Flow:
    """What went to the broker so far."""

    published: int = 0  # acknowledged ones, repeats included
    connections: int = 0
    refused: int = 0  # messages and connections that the broker's rules forbid


@dataclass
class Sent:
    """What of the spool is with the broker, as this connection knows it."""

    anything: bool = False  # whether the broker has taken a single message
    until: int = 0  # number of the last packet that was looked at
    flying: dict[int, int] = field(default_factory=dict)  # message -> packet
    acknowledged: dict[int, float] = field(default_factory=dict)  # packet -> when, oldest first


class Publisher:
    """Sends one device's packets; ``pump`` is called by one thread, often."""

    def __init__(self, device: str, broker: Broker, spool: Spool, hold_s: float, say: Say):
        """Make sure that what the broker is to be shown can be read.

        Raises:
            BrokerError: a certificate, key or password cannot be read.
        """
        self.device, self.broker = device, broker.of(device)
        self.flow = Flow()
        self.connected = False
        self.on_event: Callable[[], None] = lambda: None
        """Called by another thread when there is something for ``pump`` to do."""
        self._spool, self._hold_s, self._say = spool, hold_s, say
        self._events: queue.SimpleQueue[tuple[Client, Callable[[], None]]] = queue.SimpleQueue()
        self._sent = Sent()
        self._resume_s = 0.0
        self._last_said = ""
        self._client: Client | None = self._make_client()

    def pump(self) -> None:
        """Do what is due: take note of what came, connect, send, forget."""
        while not self._events.empty():
            client, act = self._events.get()
            if client is self._client:
                act()
        now_s = time.monotonic()
        if self._client is None and now_s >= self._resume_s:
            self._client = self._make_client()
            self.start()
        if self.connected and now_s >= self._resume_s:
            self._fill()
        self._forget(now_s)

    def start(self) -> None:
        """Begin to connect."""
        assert self._client is not None
        self._client.connect_async(
            self.broker.host, self.broker.port, keepalive=KEEP_ALIVE_S, clean_start=True
        )
        self._client.loop_start()

    def close(self) -> None:
        """Say that the device is offline, and go."""
        client, self._client = self._client, None
        if client is None:
            return
        if self.connected:
            info = client.publish(
                STATUS_TOPIC.format(self.device), status_text("offline"), QOS, retain=True
            )
            try:
                info.wait_for_publish(1.0)
            except (RuntimeError, ValueError):
                self._tell("the broker did not hear that the device is offline now")
            client.disconnect()
        self.connected = False
        client.loop_stop()

    def _make_client(self) -> Client:
        client = make_client(self.broker, f"dynadeep-{self.device}", reconnect_on_failure=False)
        client.max_inflight_messages_set(WINDOW)
        client.will_set(STATUS_TOPIC.format(self.device), status_text("offline"), QOS, retain=True)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _more: Any
    ) -> None:
        self._post(client, lambda: self._welcomed(client, reason))

    def _on_connect_fail(self, client: Client, _data: Any) -> None:
        self._post(client, lambda: self._tell(f"{self.broker} cannot be reached"))

    def _on_disconnect(
        self, client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _more: Any
    ) -> None:
        self._post(client, lambda: self._lost(str(reason)))

    def _on_publish(
        self, client: Client, _data: Any, message: int, reason: ReasonCode, _more: Any
    ) -> None:
        self._post(client, lambda: self._answered(message, reason))

    def _post(self, client: Client, act: Callable[[], None]) -> None:
        """Have ``pump`` do something, unless the client is an old one by then."""
        self._events.put((client, act))
        self.on_event()

    def _welcomed(self, client: Client, reason: ReasonCode) -> None:
        if reason.is_failure:
            self._resume_s = time.monotonic() + REFUSED_S
            self._tell(f"{self.broker} refuses the device: {reason}")
            return  # the broker closes the connection, which is told next
        self._sent = Sent()  # all that is in the spool: nobody knows what the broker kept
        self.connected = True
        self.flow.connections += 1
        client.publish(STATUS_TOPIC.format(self.device), status_text("online"), QOS, retain=True)

    def _lost(self, why: str) -> None:
        client, self._client = self._client, None
        if self.connected and self._sent.anything:
            self._tell(f"{self.broker} is gone ({why}); packets go to the spool")
        elif self.connected:  # Mosquitto 2.0 answers so what its rules forbid
            self.flow.refused += 1
            self._resume_s = time.monotonic() + REFUSED_S
            self._tell(
                f"{self.broker} takes nothing and closes the connection ({why}). Do its "
                f"rules let this device publish {PACKETS_TOPIC.format(self.device)}? Packets wait"
            )
        elif time.monotonic() >= self._resume_s:  # it has not said why: TLS 1.3 refuses so
            self._resume_s = time.monotonic() + REFUSED_S
            self._tell(
                f"{self.broker} closes the connection at once ({why}). Does it know the "
                "certificate, or the name and password, of this device?"
            )
        self.connected = False
        self._resume_s = max(self._resume_s, time.monotonic() + RECONNECT_S)
        if client is not None:
            client.loop_stop()

    def _answered(self, message: int, reason: ReasonCode) -> None:
        if not self._sent.anything and not reason.is_failure:
            self._sent.anything = True
            self._tell(f"connected to {self.broker}")
        number = self._sent.flying.pop(message, None)
        if number is None:
            return  # the status
        if reason.is_failure or reason.value == NOBODY:
            self._sent.until = min(self._sent.until, number - 1)
            self._resume_s = time.monotonic() + REFUSED_S
            self.flow.refused += reason.is_failure
            self._tell(f"{self.broker}: {reason}; packets wait in the spool")
            return
        self._sent.acknowledged[number] = time.monotonic()
        self.flow.published += 1

    def _fill(self) -> None:
        """Send what comes next, as much as may be on its way."""
        room = WINDOW - len(self._sent.flying)
        on_its_way = set(self._sent.flying.values())
        while room > 0:
            packets = self._spool.after(self.device, self._sent.until, WINDOW)
            for packet in packets[:room]:
                self._sent.until = packet.number
                known = packet.number in self._sent.acknowledged or packet.number in on_its_way
                if not known and not self._send(packet):
                    return
                room -= not known
            if len(packets) < WINDOW:
                return

    def _send(self, packet: Stored) -> bool:
        """Hand a packet to the client; False if it takes none now."""
        assert self._client is not None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = [("arrival", str(packet.arrival)), ("session", packet.session)]
        topic = PACKETS_TOPIC.format(self.device)
        info = self._client.publish(topic, packet.packet, QOS, properties=properties)
        self._sent.flying[info.mid] = packet.number
        return info.rc == MQTT_ERR_SUCCESS

    def _forget(self, now_s: float) -> None:
        """Take out of the spool what was acknowledged long enough ago."""
        old: list[int] = []
        for number, acknowledged_s in self._sent.acknowledged.items():
            if acknowledged_s > now_s - self._hold_s:
                break
            old.append(number)
        if old and self._spool.remove(self.device, old):
            for number in old:
                del self._sent.acknowledged[number]
        elif old:
            self._tell(
                "the spool cannot be written, and what the broker has stays in it. "
                "Is there room on its disk?"
            )

    def _tell(self, what: str) -> None:
        """Say what changed, once."""
        if what != self._last_said:
            self._last_said = what
            self._say(f"{self.device}: {what}")
