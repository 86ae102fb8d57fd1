"""Subscribe to the packets of all devices, and acknowledge what is on the disk.

One thread does all: between a message and its acknowledgement no connection can have changed.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from dynadeep.host_tools.cloud.broker import PACKETS_TOPIC, Broker, device_of_topic, make_client
from dynadeep.host_tools.cloud.collector import Collector, Message
from dynadeep.host_tools.cloud.schema import PACKET_BYTES_MAX
from dynadeep.host_tools.errors import BrokerError

LOG = logging.getLogger(__name__)

BATCH = 1000
"""Messages that are put on the disk together, and that the broker may send unacknowledged."""
MESSAGE_BYTES_MAX = PACKET_BYTES_MAX + 4096
KEEPALIVE_S = 60
IDLE_S = 0.1
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
DONE = object()
NEVER = 0xFFFFFFFF
"""When the broker forgets us: what is published meanwhile waits there."""
NO_RIGHT = {134, 135, 140}
"""Reasons to refuse us that do not pass: password, authorisation, method."""
SHORT_S, SHORT_MAX = 5.0, 10
"""Connections that last no longer, and how many in a row have another cause than the network."""


def message_of(received: MQTTMessage) -> Message:
    """Return what a gateway published; its topic and properties may be anything."""
    try:
        device = device_of_topic(received.topic)
    except UnicodeDecodeError:
        device = ""
    properties: dict[str, str] = {}
    for name, value in getattr(received.properties, "UserProperty", ()):
        properties.setdefault(name, value)
    return Message(
        device, bytes(received.payload), properties.get("arrival"), properties.get("session")
    )


class Subscriber:
    """Feeds a collector with what a broker has."""

    def __init__(self, broker: Broker, collector: Collector, client_id: str) -> None:
        self._broker = broker
        self._collector = collector
        self._unacknowledged: list[int] = []
        self._taken = 0
        self._committed = 0  # of those taken
        self._failed = 0  # attempts to connect in a row
        self._error: BrokerError | None = None
        self._client_id = client_id
        self._connected_s = -math.inf  # since when, while there is a connection
        self._short = 0  # connections in a row that were lost at once
        self._client = make_client(broker, client_id, manual_ack=True)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._take

    def run(self, stop: Callable[[], bool], flush_s: float) -> None:
        """Collect until ``stop`` says so, writing Parquet every ``flush_s`` seconds.

        Raises:
            BrokerError: the broker cannot be reached at first, or does not let us in.
            ArchiveError: the archive cannot be written.
            OSError: the same.
        """
        self._connect()
        steps: Iterator[None] = iter(())
        next_flush_s = time.monotonic()
        try:
            while not stop():
                self._turn()
                if next(steps, DONE) is DONE and time.monotonic() >= next_flush_s:
                    steps, next_flush_s = self._collector.flush(), time.monotonic() + flush_s
        finally:
            self._client.disconnect()
        self._collector.commit()
        for _ in self._collector.flush():
            pass

    def _turn(self) -> None:
        """Take what has come; once nothing more does, put it on the disk and acknowledge it."""
        before = self._taken
        code = self._client.loop(timeout=0 if self._taken > self._committed else IDLE_S)
        if self._error is not None:
            raise self._error
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._unacknowledged.clear()  # it comes again, and is dropped then
            LOG.warning("%s: connection lost (%s)", self._broker, code.name)
            self._note_lost()
            self._reconnect()
        elif self._taken > self._committed and (
            self._taken == before or self._taken >= self._committed + BATCH
        ):
            self._collector.commit()
            self._committed = self._taken
            for number in self._unacknowledged:
                self._client.ack(number, 1)
            self._unacknowledged.clear()

    def _connect(self) -> None:
        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = NEVER
        properties.MaximumPacketSize = MESSAGE_BYTES_MAX
        properties.ReceiveMaximum = BATCH
        try:
            self._client.connect(
                self._broker.host,
                self._broker.port,
                KEEPALIVE_S,
                clean_start=False,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            raise BrokerError(
                f"{self._broker}: cannot be reached ({error}). Is it running there, and is its "
                "certificate one that --cafile knows?"
            ) from error

    def _reconnect(self) -> None:
        """Try once to connect again, after a wait that grows from time to time."""
        time.sleep(RETRY_S[min(self._failed, len(RETRY_S) - 1)])
        self._failed += 1
        try:
            self._connect()
        except BrokerError as error:
            LOG.info("%s", error)

    def _subscribe(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _more: object
    ) -> None:
        if reason.is_failure:
            if reason.value in NO_RIGHT:
                self._error = BrokerError(
                    f"{self._broker}: does not let us in ({reason}). Check --username, "
                    "--password-file and --cert against its configuration."
                )
            return
        self._failed = 0
        self._connected_s = time.monotonic()
        client.subscribe(PACKETS_TOPIC.format("+"), qos=1)

    def _subscribed(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _more: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._error = BrokerError(
                f"{self._broker}: does not let us read {PACKETS_TOPIC.format('+')} "
                f"({reasons[0]}). Give this user that right in its access rules."
            )
        LOG.info("%s: collecting", self._broker)

    def _note_lost(self) -> None:
        """Take note that a connection was lost.

        Raises:
            BrokerError: so were those before it, each as soon as it was there.
        """
        is_short = time.monotonic() - self._connected_s < SHORT_S
        self._connected_s = -math.inf
        self._short = self._short + 1 if is_short else 0
        if self._short == SHORT_MAX:
            raise BrokerError(
                f"{self._broker}: closed the connection {SHORT_MAX} times as soon as it was there. "
                f"Does another collector call itself {self._client_id}? Let one of them run, or "
                "give each its own --client-id, or its own user where the broker goes by users."
            )

    def _take(self, _client: Client, _data: object, received: MQTTMessage) -> None:
        self._taken += 1
        self._collector.take(message_of(received))
        if received.qos:
            self._unacknowledged.append(received.mid)
