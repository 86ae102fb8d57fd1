"""Packets on disk until the broker has them: an SQLite file in WAL mode, in order, bounded.

What was added is there after a kill -9 of this process and after a power cut. A full spool takes
nothing more: what is in it stays, and what is dropped is counted in the file itself.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dynadeep.codegen.lock import locked
from dynadeep.host_tools.cloud.database import Kind, open_file
from dynadeep.host_tools.errors import GatewayError

ROW_BYTES = 128
"""What a packet takes in the file besides its own bytes, about."""

PATIENCE_S = 60.0
"""How long to wait for another program that holds the file, before packets are dropped."""

FULL, FLOOD, DISK = "spool full", "flood", "disk"
"""Why packets are dropped."""

KIND = Kind(
    0x44445350,  # "DDSP"
    1,
    """
CREATE TABLE IF NOT EXISTS packets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL, arrival INTEGER NOT NULL, session TEXT NOT NULL, packet BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS of_device ON packets (device, number);
CREATE TABLE IF NOT EXISTS dropped (
    device TEXT NOT NULL, why TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (device, why));
""",
)


@dataclass(frozen=True)
class Arrival:
    """A packet as it came from a device."""

    arrival: int  # Unix microseconds
    session: str  # 16 hex digits
    packet: bytes


@dataclass(frozen=True)
class Stored(Arrival):
    """A packet in the spool."""

    number: int  # ascending in the order of arrival


class Spool:
    """The file; every method may be called by any thread."""

    def __init__(self, path: Path, most_bytes: int, devices: Sequence[str]):
        """Open or begin a spool.

        Args:
            path: of the file.
            most_bytes: that the packets of all devices may take, an equal share for each.
            devices: whose packets are to come.

        Raises:
            GatewayError: the file is something else, damaged, or cannot be written.
            BusyError: another gateway has it.
        """
        self.path = path
        self.share = most_bytes // len(devices)
        self._devices = frozenset(devices)
        self._lock = threading.Lock()
        self._uncounted: Counter[tuple[str, str]] = Counter()  # dropped, and not in the file yet
        with ExitStack() as stack:
            stack.enter_context(locked(path.absolute(), wait=False))
            with self._named_errors():
                self._file = open_file(path, KIND, timeout=PATIENCE_S, check_same_thread=False)
                self._bytes = Counter(dict.fromkeys(devices, 0))
                self._bytes.update(self._sizes())
            self._resources = stack.pop_all()

    def add(self, device: str, arrivals: Sequence[Arrival]) -> dict[str, int]:
        """Keep packets; they are on the disk when this returns. Return how many not, and why."""
        with self._lock:
            room, accepted = self.share - self._bytes[device], []
            for arrival in arrivals:
                room -= _size(arrival.packet)
                if room < 0:
                    break
                accepted.append(arrival)
            try:
                self._insert(device, accepted)
            except sqlite3.Error:  # the disk is full, or gone
                dropped = {DISK: len(arrivals)}
            else:
                dropped = (
                    {FULL: len(arrivals) - len(accepted)} if len(accepted) < len(arrivals) else {}
                )
            for why, count in dropped.items():
                self._count(device, why, count)
            return dropped

    def after(self, device: str, number: int, limit: int) -> list[Stored]:
        """Return up to ``limit`` packets of a device behind ``number``, the oldest first.

        Raises:
            GatewayError: the file cannot be read; so do the others that ask it something.
        """
        with self._lock, self._named_errors():
            rows = self._file.execute(
                "SELECT arrival, session, packet, number FROM packets "
                "WHERE device = ? AND number > ? ORDER BY number LIMIT ?",
                (device, number, limit),
            )
            return [Stored(*row) for row in rows]

    def remove(self, device: str, numbers: Iterable[int]) -> bool:
        """Forget packets that the broker has; False if the disk is full: then all of them stay."""
        with self._lock:
            freed_bytes = 0
            try:
                with self._file:
                    for number in numbers:
                        row = self._file.execute(
                            "DELETE FROM packets WHERE number = ? RETURNING length(packet)",
                            (number,),
                        ).fetchone()
                        freed_bytes += 0 if row is None else row[0] + ROW_BYTES
            except sqlite3.Error:
                return False
            self._bytes[device] -= freed_bytes
            return True

    def drop(self, device: str, why: str, count: int) -> None:
        """Count packets that were not even offered to the spool."""
        with self._lock:
            self._count(device, why, count)

    def waiting(self, device: str) -> int:
        """Return how many packets of a device are in the spool."""
        with self._lock, self._named_errors():
            query = "SELECT count(*) FROM packets WHERE device = ?"
            return int(self._file.execute(query, (device,)).fetchone()[0])

    def dropped(self, device: str) -> dict[str, int]:
        """Return how many packets of a device were dropped since the file began, and why."""
        with self._lock, self._named_errors():
            query = "SELECT why, count FROM dropped WHERE device = ? ORDER BY why"
            counts = Counter(dict(self._file.execute(query, (device,)).fetchall()))
            counts.update({why: n for (name, why), n in self._uncounted.items() if name == device})
            return dict(sorted(counts.items()))

    def unnamed(self) -> dict[str, int]:
        """Return the devices that nobody named this time, and how many packets of each wait."""
        with self._lock, self._named_errors():
            query = "SELECT device, count(*) FROM packets GROUP BY device ORDER BY device"
            rows: list[tuple[str, int]] = self._file.execute(query).fetchall()
            return {name: count for name, count in rows if name not in self._devices}

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            for device, why in list(self._uncounted):
                self._count(device, why, 0)
            self._file.close()
        self._resources.close()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Have errors name the file, and say what to do."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise GatewayError(
                f"{self.path}: expected a spool that can be written, found: {error}. Name another "
                "file with --spool, or move this one away."
            ) from error

    def _sizes(self) -> dict[str, int]:
        query = f"SELECT device, sum(length(packet) + {ROW_BYTES}) FROM packets GROUP BY device"
        return dict(self._file.execute(query).fetchall())

    def _insert(self, device: str, arrivals: Sequence[Arrival]) -> None:
        with self._file:
            self._file.executemany(
                "INSERT INTO packets (device, arrival, session, packet) VALUES (?, ?, ?, ?)",
                [
                    (device, arrival.arrival, arrival.session, arrival.packet)
                    for arrival in arrivals
                ],
            )
        self._bytes[device] += sum(_size(arrival.packet) for arrival in arrivals)

    def _count(self, device: str, why: str, count: int) -> None:
        self._uncounted[device, why] += count
        try:
            with self._file:
                self._file.executemany(
                    "INSERT INTO dropped VALUES (?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET count = count + excluded.count",
                    [(*key, number) for key, number in self._uncounted.items()],
                )
            self._uncounted.clear()
        except sqlite3.Error:  # the disk is full: the next count may fit, or the end of the command
            return


def _size(packet: bytes) -> int:
    return len(packet) + ROW_BYTES
