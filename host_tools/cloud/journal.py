"""What a collector has taken and not yet written as Parquet, on the disk before it is acknowledged.

An SQLite file in the archive's folder: rows that wait, what is remembered of each device, and which
batches of rows are being written. One transaction holds a packet's row and what it changed.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

import msgspec
import pyarrow as pa

from dynadeep.host_tools.cloud import schema
from dynadeep.host_tools.cloud.allowance import Allowance
from dynadeep.host_tools.cloud.database import Kind, WrongKindError, open_file
from dynadeep.host_tools.cloud.memory import Stream
from dynadeep.host_tools.cloud.streams import STREAMS, Device
from dynadeep.host_tools.errors import ArchiveError

NAME = ".collector.sqlite"
_COLUMNS = [field.name for field in schema.SCHEMA]

KIND = Kind(
    0x4444434A,  # "DDCJ"
    2,
    """
CREATE TABLE IF NOT EXISTS waiting (
    batch INTEGER, device TEXT NOT NULL, day TEXT NOT NULL, late INTEGER NOT NULL,
    kind TEXT NOT NULL, stream INTEGER NOT NULL, "index" INTEGER, count INTEGER NOT NULL,
    sequence INTEGER, time INTEGER NOT NULL, arrival INTEGER NOT NULL, model INTEGER,
    level INTEGER, packet BLOB, detail TEXT);
CREATE INDEX IF NOT EXISTS places ON waiting (device, stream, "index");
CREATE INDEX IF NOT EXISTS batches ON waiting (batch, device, day);
CREATE TABLE IF NOT EXISTS streams (
    device TEXT, number INTEGER, state BLOB, PRIMARY KEY (device, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS allowances (device TEXT PRIMARY KEY, state BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS days (device TEXT, day TEXT, PRIMARY KEY (device, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
INSERT OR IGNORE INTO numbers VALUES ('batch', 0);
""",
)


@dataclass(frozen=True)
class Row:
    """A row of an archive, and where it belongs; times in microseconds, Unix."""

    device: str
    day: str  # "2026-03-01"
    late: bool  # its place lies in a gap that may be written already
    kind: str
    stream: int
    index: int | None
    count: int
    sequence: int | None
    time: int
    arrival: int
    model: int | None = None
    level: int | None = None
    packet: bytes | None = None
    detail: str | None = None


def waiting_in(root: Path) -> int:
    """Return how many rows of an archive are not in Parquet, whoever collects there now.

    Raises:
        ArchiveError: its journal is damaged.
    """
    path = root / NAME
    if not path.is_file():
        return 0
    # A medium that nothing can be written to has no room for what WAL keeps beside the file.
    alone = not (root / f"{NAME}-wal").exists() and not os.access(root, os.W_OK)
    how = "immutable=1" if alone else "mode=ro"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as file:
            if not file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return 0  # a collector is just beginning it
            return int(file.execute("SELECT count(*) FROM waiting").fetchone()[0])
    except sqlite3.Error as error:
        raise ArchiveError(
            f"{path}: what waits in it cannot be counted ({error}). Run 'dynadeep collect' there, "
            "where the folder can be written."
        ) from error


class Journal:
    """The file, open for one process.

    Raises:
        ArchiveError: it is damaged, or cannot be written; so does every method.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / NAME
        root.mkdir(parents=True, exist_ok=True)
        with self._named_errors():
            try:
                self._file = open_file(self.path, KIND, isolation_level=None)
            except WrongKindError as error:
                raise ArchiveError(
                    f"{self.path}: {error}. Collect with the kit that made it, or into another "
                    "archive."
                ) from error

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._file.close()

    def device(self, name: str) -> tuple[Device, Allowance]:
        """Return what is remembered of a device."""
        with self._named_errors():
            rows = self._all("SELECT state FROM streams WHERE device = ? ORDER BY number", name)
            streams = [msgspec.json.decode(state, type=Stream) for (state,) in rows]
            states = self._all("SELECT state FROM allowances WHERE device = ?", name)
        allowance = msgspec.json.decode(states[0][0], type=Allowance) if states else Allowance()
        return Device(streams), allowance

    def devices(self) -> int:
        """Return how many devices are remembered."""
        with self._named_errors():
            return int(self._all("SELECT count(*) FROM allowances")[0][0])

    def has(self, device: str, stream: int, index: int) -> bool:
        """Whether a segment's packet waits."""
        query = (
            'SELECT 1 FROM waiting WHERE device = ? AND stream = ? AND "index" = ? '
            "AND kind = 'packet' LIMIT 1"
        )
        with self._named_errors():
            return bool(self._all(query, device, stream, index))

    def commit(
        self,
        rows: Iterable[Row],
        streams: Iterable[tuple[str, Stream]],
        allowances: Iterable[tuple[str, Allowance]],
    ) -> None:
        """Put rows and what they changed on the disk, all or none of them."""
        encode = msgspec.json.encode
        with self._transaction():
            self._file.executemany(
                f"INSERT INTO waiting VALUES (NULL, {', '.join('?' * 14)})", map(astuple, rows)
            )
            for name, stream in streams:
                values = (name, stream.number, encode(stream))
                self._file.execute("INSERT OR REPLACE INTO streams VALUES (?, ?, ?)", values)
                old = (name, stream.number - STREAMS)
                self._file.execute("DELETE FROM streams WHERE device = ? AND number <= ?", old)
            states = [(name, encode(allowance)) for name, allowance in allowances]
            self._file.executemany("INSERT OR REPLACE INTO allowances VALUES (?, ?)", states)

    def waiting(self) -> int:
        """Return how many rows wait."""
        with self._named_errors():
            return int(self._all("SELECT count(*) FROM waiting")[0][0])

    def begin_batch(self) -> None:
        """Give all rows that wait without one a batch's number."""
        with self._transaction():
            self._file.execute("UPDATE numbers SET value = value + 1 WHERE name = 'batch'")
            number = "(SELECT value FROM numbers WHERE name = 'batch')"
            self._file.execute(f"UPDATE waiting SET batch = {number} WHERE batch IS NULL")

    def batches(self) -> list[tuple[int, str, str]]:
        """Return what is to be written: each batch's devices and days."""
        with self._named_errors():
            return self._all(
                "SELECT DISTINCT batch, device, day FROM waiting WHERE batch IS NOT NULL "
                "ORDER BY batch, device, day"
            )

    def rows(self, batch: int, device: str, day: str) -> tuple[pa.Table, bool]:
        """Return a batch's rows of a device's day, and whether any of them came late."""
        names = ", ".join(f'"{name}"' for name in _COLUMNS)
        query = f"SELECT late, {names} FROM waiting WHERE batch = ? AND device = ? AND day = ?"
        with self._named_errors():
            rows = self._all(query, batch, device, day)
        columns = list(zip(*rows, strict=True)) or [()] * (1 + len(_COLUMNS))
        arrays = [
            pa.array(values, field.type)
            for values, field in zip(columns[1:], schema.SCHEMA, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=schema.SCHEMA), any(columns[0])

    def finish(self, batch: int, device: str, day: str) -> None:
        """Forget rows that are written; their day is one to tidy when it is over."""
        with self._transaction():
            where = "WHERE batch = ? AND device = ? AND day = ?"
            self._file.execute(f"DELETE FROM waiting {where}", (batch, device, day))
            self._file.execute("INSERT OR IGNORE INTO days VALUES (?, ?)", (device, day))

    def days_before(self, day: str) -> list[tuple[str, str]]:
        """Return the devices and days before ``day`` that are not tidied yet."""
        with self._named_errors():
            return self._all("SELECT device, day FROM days WHERE day < ?", day)

    def tidied(self, device: str, day: str) -> None:
        """Remember that a day's files are one."""
        with self._transaction():
            self._file.execute("DELETE FROM days WHERE device = ? AND day = ?", (device, day))

    def _all(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with closing(self._file.execute(query, values)) as cursor:
            return cursor.fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._named_errors():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Have errors name the file, and say what to do."""
        try:
            yield
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            raise ArchiveError(
                f"{self.path}: {error}. Is there room on the disk, and may it be written? If it is "
                "damaged: move it away; what waits in it is lost then, and repeats are archived."
            ) from error
