"""The gateway: what devices send at serial ports, to an MQTT broker, through a spool on disk."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynadeep.host_tools.cloud.broker import Broker
from dynadeep.host_tools.cloud.names import DEVICE
from dynadeep.host_tools.cloud.publisher import Publisher
from dynadeep.host_tools.cloud.reader import Reader
from dynadeep.host_tools.cloud.spool import Spool
from dynadeep.host_tools.errors import GatewayError

TICK_S = 0.2
Say = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """What a gateway keeps within."""

    spool_bytes: int = 1 << 30  # of all devices together
    most_per_minute: int = 600  # packets of a device
    hold_s: float = 10.0  # how long a packet stays in the spool after the broker has it


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Lane:
    """One device's way through the gateway."""

    reader: Reader
    publisher: Publisher


class Gateway:
    """Readers, publishers and the spool between them."""

    def __init__(self, lanes: Sequence[Lane], spool: Spool):
        self.lanes, self.spool = lanes, spool
        self._wake = threading.Event()
        for lane in lanes:
            lane.reader.on_stored = self._wake.set
            lane.publisher.on_event = self._wake.set

    def run(self, stop: Callable[[], bool]) -> None:
        """Carry packets until ``stop`` says so."""
        for lane in self.lanes:
            lane.reader.start()
            lane.publisher.start()
        while not stop():
            self._wake.wait(TICK_S)
            self._wake.clear()
            for lane in self.lanes:
                lane.publisher.pump()

    def close(self) -> None:
        """Stop reading, say that the devices are offline, close the spool."""
        for lane in self.lanes:
            lane.reader.stop()
        for lane in self.lanes:
            lane.publisher.close()

    def counts(self) -> list[dict[str, Any]]:
        """Return what came, went and was lost, for each device."""
        return [
            {
                "device": lane.reader.device,
                "port": lane.reader.port,
                "packets": lane.reader.stored,
                "published": lane.publisher.flow.published,
                "in_spool": self.spool.waiting(lane.reader.device),
                "dropped": self.spool.dropped(lane.reader.device),
                "refused": lane.publisher.flow.refused,
                "connections": lane.publisher.flow.connections,
                "line": vars(lane.reader.stream.line),
            }
            for lane in self.lanes
        ]


@contextmanager
def open_gateway(
    ports: dict[str, str],
    broker: Broker,
    spool: Path,
    say: Say,
    *,
    baud: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Gateway]:
    """Yield a gateway that does nothing yet.

    Args:
        ports: of each device, by its name.
        broker: with ``{device}`` where it differs from device to device.
        spool: the file.
        say: is told in a line what changes, by any thread.
        baud: of all ports; None is 115,200.
        limits: what it keeps within.

    Raises:
        GatewayError: a device's name is none, or the spool cannot be used.
        BrokerError: what the broker is to be shown cannot be read.
    """
    for device in ports:
        if DEVICE.fullmatch(device) is None:
            raise GatewayError(
                f"--device {device}: expected up to 64 letters, digits, dots, underscores and "
                "dashes, the first one a letter or a digit: it stands in a topic."
            )
    with ExitStack() as stack:
        file = Spool(spool, limits.spool_bytes, tuple(ports))
        stack.callback(file.close)
        for device, count in file.unnamed().items():
            say(f"{spool}: {count} packets of {device} wait, which no --device names")
        lanes = [
            Lane(
                Reader(device, port, file, limits.most_per_minute, say, baud=baud),
                Publisher(device, broker, file, limits.hold_s, say),
            )
            for device, port in ports.items()
        ]
        gateway = Gateway(lanes, file)
        stack.callback(gateway.close)
        yield gateway
