"""From a port to the spool: one thread a device, which comes back when its port does."""

import secrets
import threading
import time
from collections.abc import Callable

from dynadeep.host_tools.cloud.allowance import Bucket
from dynadeep.host_tools.cloud.spool import DISK, FLOOD, FULL, Arrival, Spool
from dynadeep.host_tools.codec.packet import SEQUENCES
from dynadeep.host_tools.codec.wire import place_after
from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link.base import DEFAULT_BAUD, Link
from dynadeep.host_tools.link.pushed import Announced, Crashed, Event, Pushed, PushedStream
from dynadeep.host_tools.link.serial import SerialLink

REOPEN_S = 1.0
WHY = {
    FULL: "the device's share of the spool is full, which --spool-bytes makes larger",
    DISK: "the spool cannot be written, perhaps for want of room on its disk",
    FLOOD: "it sends more than --most-per-minute",
}
Say = Callable[[str], None]


def new_session() -> str:
    """Return 16 hex digits that no other run of packets has."""
    return secrets.token_hex(8)


class Sessions:
    """When a device begins anew: it says so, or its packets' numbers step back."""

    def __init__(self) -> None:
        self.session = new_session()
        self._expected: tuple[int, int] | None = None

    def begin(self) -> None:
        """Take note that what comes now is a run of its own."""
        self.session, self._expected = new_session(), None

    def of(self, packet: bytes) -> str:
        """Return the session that a packet belongs to."""
        following = place_after(packet)
        if following is not None and self._expected is not None:
            ahead = (following[1] - self._expected[1]) % SEQUENCES  # -1: the last one once more
            if following[0] != self._expected[0] or SEQUENCES // 2 <= ahead < SEQUENCES - 1:
                self.session = new_session()
        self._expected = following
        return self.session


class Reader(threading.Thread):
    """Reads what one device sends by itself, and keeps it in the spool."""

    def __init__(
        self,
        device: str,
        port: str,
        spool: Spool,
        most_per_minute: int,
        say: Say,
        *,
        baud: int | None = None,
    ):
        super().__init__(name=f"reader of {device}", daemon=True)
        self.device, self.port, self.baud = device, port, baud
        self.stream = PushedStream()
        self.stored = 0
        self.opened = 0
        self.on_stored: Callable[[], None] = lambda: None
        """Called when there is something new in the spool."""
        self._spool, self._say = spool, say
        self._most_per_minute = float(most_per_minute)
        self._allowance = Bucket(self._most_per_minute, time.monotonic_ns() // 1000)
        self._sessions = Sessions()
        self._stopped = threading.Event()
        self._dropping = False

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._stopped.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Read until ``stop``, opening the port anew whenever it is gone."""
        failed = ""
        while not self._stopped.is_set():
            try:
                with SerialLink(self.port, self.baud or DEFAULT_BAUD) as link:
                    self._say(f"{self.device}: reading {self.port}")
                    failed = ""
                    self._read(link)
            except LinkError as error:
                if failed != str(error):
                    failed = str(error)
                    self._say(f"{self.device}: {error} Trying again every {REOPEN_S:g} s.")
                self._stopped.wait(REOPEN_S)

    def _read(self, link: Link) -> None:
        self.opened += 1
        self._sessions.begin()
        while not self._stopped.is_set():
            data = link.receive_block()
            if data:
                self._take(list(self.stream.feed(data)), time.time_ns() // 1000)

    def _take(self, events: list[Event], now_us: int) -> None:
        arrivals: list[Arrival] = []
        flooded = 0
        for event in events:
            if isinstance(event, Pushed):
                session = self._sessions.of(event.packet)
                if self._may_send():
                    arrivals.append(Arrival(now_us, session, event.packet))
                else:
                    flooded += 1
            else:
                self._note(event)
        self._store(arrivals, flooded)

    def _may_send(self) -> bool:
        """Whether one more packet may come now: so many a minute, and as many at once."""
        now_us = time.monotonic_ns() // 1000
        return self._allowance.take(
            1, now_us, capacity=self._most_per_minute, refill_per_s=self._most_per_minute / 60
        )

    def _note(self, event: Announced | Crashed) -> None:
        self._sessions.begin()
        if isinstance(event, Crashed):
            self._say(f"{self.device}: the device crashed: {event.fault}")
        else:
            about = event.about
            self._say(f"{self.device}: {about.board} started, model {about.model_id}")

    def _store(self, arrivals: list[Arrival], flooded: int) -> None:
        dropped = self._spool.add(self.device, arrivals) if arrivals else {}
        if flooded:
            self._spool.drop(self.device, FLOOD, flooded)
        if (dropped or flooded) and not self._dropping:
            why = "; ".join(WHY[reason] for reason in (*dropped, *[FLOOD][: bool(flooded)]))
            self._say(f"{self.device}: packets are dropped: {why}. They are counted.")
        if arrivals or flooded:
            self._dropping = bool(dropped or flooded)
        stored = len(arrivals) - sum(dropped.values())
        self.stored += stored
        if stored:
            self.on_stored()
