"""From messages to rows of an archive: what is taken is checked, placed, and on the disk.

``take`` any number of messages, ``commit`` them, and acknowledge them then. ``flush`` has what was
committed become Parquet. A process may end at any point of that: the next one goes on from there.
"""

import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.lock import locked
from dynadeep.host_tools.cloud import allowance as price
from dynadeep.host_tools.cloud import schema
from dynadeep.host_tools.cloud.allowance import Allowance
from dynadeep.host_tools.cloud.bundles import period_us
from dynadeep.host_tools.cloud.journal import Journal, Row
from dynadeep.host_tools.cloud.memory import Arrived, Stream
from dynadeep.host_tools.cloud.rows import day_at, rows_beside
from dynadeep.host_tools.cloud.store import Store
from dynadeep.host_tools.cloud.streams import Device, Outcome
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.packet import Packet
from dynadeep.host_tools.errors import ArchiveError, PacketError

DEVICES_MAX = 1_000_000
DEVICES_CACHED = 20_000
"""Devices that are held in memory; the others are in the journal."""
BAD_PACKET_BYTES_MAX = 4096
"""Bytes of a packet that cannot be read."""
EARLIEST_US = 1_577_836_800_000_000
"""2020: an earlier stamp is of a clock that nobody has set."""
AHEAD_US = 3_600_000_000
"""How far a gateway's clock may be ahead of ours."""

_DIGITS = re.compile(r"\d{1,16}", re.ASCII)
_SESSION = re.compile(r"[0-9a-f]{16}", re.ASCII)

Clock = Callable[[], int]


def unix_us() -> int:
    """Return the time in microseconds."""
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Message:
    """A packet as a gateway publishes it; every field is a stranger's."""

    device: str
    payload: bytes
    arrival: str | None = None
    session: str | None = None


class Collector:
    """Takes messages into the archive of a folder, which it holds against others.

    Raises:
        BusyError: another collector is at work there.
        ArchiveError: its journal cannot be read or written; so do ``commit`` and ``flush``.
    """

    def __init__(self, root: Path, models: Mapping[int, Manifest], now_us: Clock = unix_us) -> None:
        self.root = root
        self.counts: Counter[str] = Counter()  # since it began, by kind of row and what was dropped
        self._models = models
        self._periods = {number: period_us(model) for number, model in models.items()}
        self._now_us = now_us
        self._devices: OrderedDict[str, tuple[Device, Allowance]] = OrderedDict()
        self._rows: list[Row] = []
        self._changed: dict[tuple[str, int], Stream] = {}
        self._paid: set[str] = set()
        with ExitStack() as stack:
            root.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(root, wait=False))
            self._journal = Journal(root)
            stack.callback(self._journal.close)
            self._known_devices = self._journal.devices()
            self._resources = stack.pop_all()
        self._store = Store(root, self._journal, self._periods, self._count_damaged)

    def __enter__(self) -> "Collector":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the folder. What was not committed is forgotten, and comes again."""
        self._resources.close()

    def take(self, message: Message) -> None:
        """Check and place a message; ``commit`` makes it last. Nothing in it raises."""
        if not schema.is_device(message.device):
            self.counts["refused_name"] += 1
            return
        if self._remember(message.device) is None:
            self.counts["refused_device"] += 1
            return
        arrival_us, stamped = self._arrival(message.arrival)
        try:
            packet = _read(message.payload)
            self._take_packet(message, packet, arrival_us, stamped=stamped)
        except PacketError as error:
            packet_start = message.payload[:BAD_PACKET_BYTES_MAX]
            row = {"packet": packet_start, "detail": str(error)[:1000]}
            self._put_odd(message.device, schema.BAD_PACKET, arrival_us, price.ODD, **row)

    def commit(self) -> int:
        """Put what was taken on the disk, whatever ends the process then; return the rows."""
        count = len(self._rows)
        streams = [(name, stream) for (name, _), stream in self._changed.items()]
        paid = [(name, self._devices[name][1]) for name in self._paid]
        if count or streams or paid:
            self._journal.commit(self._rows, streams, paid)
        self._rows, self._changed, self._paid = [], {}, set()
        while len(self._devices) > DEVICES_CACHED:
            self._devices.popitem(last=False)
        return count

    def flush(self) -> Iterator[None]:
        """Write what was committed as Parquet, a device's day at a step.

        Raises:
            OSError: a file cannot be written; what was to be in it waits on.
        """
        yield from self._store.flush(self._now_us)

    def waiting(self) -> int:
        """Return how many committed rows are not in Parquet."""
        return self._journal.waiting()

    def _remember(self, name: str) -> tuple[Device, Allowance] | None:
        """Return what is known of a device; None if there are too many of them."""
        if name not in self._devices:
            device, allowance = self._journal.device(name)
            if not allowance.at_us:
                if self._known_devices >= DEVICES_MAX:
                    return None
                self._known_devices += 1
                allowance.at_us = self._now_us()
                self._paid.add(name)
            self._devices[name] = device, allowance
        self._devices.move_to_end(name)
        return self._devices[name]

    def _arrival(self, text: str | None) -> tuple[int, bool]:
        """Return when a packet arrived at its gateway, and whether the gateway has said so."""
        now_us = self._now_us()
        stamp = int(text) if text is not None and _DIGITS.fullmatch(text) else 0
        if EARLIEST_US <= stamp <= now_us + AHEAD_US:
            return stamp, True
        self.counts["without_arrival"] += 1
        return now_us, False

    def _take_packet(
        self, message: Message, packet: Packet, arrival_us: int, *, stamped: bool
    ) -> None:
        number, name = schema.model_number(packet.model_id), message.device
        fields: dict[str, Any] = {
            "sequence": packet.sequence,
            "model": number,
            "level": packet.level,
            "packet": message.payload,
        }
        if number not in self._models:
            detail = f"no bundle of model {number:08x}"
            kind = schema.UNKNOWN_MODEL
            cost = price.plain(len(message.payload))
            self._put_odd(name, kind, arrival_us, cost, detail=detail, **fields)
            return
        packets.check_model(packet, self._models[number])
        session = message.session or ""
        arrived = Arrived(
            model=number,
            label=packet.stream,
            sequence=packet.sequence,
            crc=int.from_bytes(message.payload[-4:], "little"),
            arrival_us=arrival_us,
            period_us=self._periods[number],
            session=session if _SESSION.fullmatch(session) else "",
            stamped=stamped,
        )
        self._place(name, arrived, fields)

    def _place(self, name: str, arrived: Arrived, fields: dict[str, Any]) -> None:
        device, allowance = self._devices[name]
        verdict = device.judge(arrived, lambda *place: self._has(name, device, *place))
        if verdict.outcome is Outcome.REPEAT:
            self.counts["repeated"] += 1
            return
        cost = _price(verdict.outcome, arrived, allowance, len(fields["packet"]))
        if not self._pays(name, cost, arrived.arrival_us):
            return
        placed = device.place(arrived, verdict)
        self._changed[name, placed.stream] = device.stream(placed.stream)
        common: dict[str, Any] = {
            "stream": placed.stream,
            "arrival": arrived.arrival_us,
            "model": arrived.model,
        }
        for extra in rows_beside(placed):
            self._put(name, **extra, **common)
        late = placed.outcome is Outcome.LATE
        row: dict[str, Any] = {"index": placed.index, "count": 1, "time": placed.time_us}
        self._put(name, kind=schema.PACKET, late=late, **(row | fields | common))

    def _pays(self, name: str, cost: float, arrival_us: int) -> bool:
        """Have a device pay for what is to be stored; what it cannot pay is told in a row."""
        allowance = self._devices[name][1]
        if cost == 0:
            return True
        before = allowance.refused
        paid = allowance.pay(cost, self._now_us())
        self._paid.add(name)
        if paid and before:
            allowance.refused = 0
            self._put_note(name, arrival_us, f"{before} packets before this were refused: a flood")
        elif not paid:
            self.counts["flooded"] += 1
            if not before:
                self._put_note(name, arrival_us, "packets from here on are refused: a flood")
        return paid

    def _put_note(self, name: str, arrival_us: int, detail: str) -> None:
        self._put_free(name, schema.BAD_PACKET, arrival_us, detail=detail)

    def _put_odd(self, name: str, kind: str, arrival_us: int, cost: float, **fields: Any) -> None:
        """Put a row that stands at no place of a stream."""
        if self._pays(name, cost, arrival_us):
            self._put_free(name, kind, arrival_us, **fields)

    def _put_free(self, name: str, kind: str, arrival_us: int, **fields: Any) -> None:
        streams = self._devices[name][0].streams
        number = streams[-1].number if streams else 0
        place: dict[str, Any] = {"stream": number, "index": None, "count": 0, "time": arrival_us}
        self._put(name, kind=kind, arrival=arrival_us, **place, **fields)

    def _put(self, name: str, *, late: bool = False, **fields: Any) -> None:
        day = day_at(fields["time"]).isoformat()
        fields.setdefault("sequence", None)
        self._rows.append(Row(name, day, late, **fields))
        self.counts[fields["kind"]] += 1

    def _has(self, name: str, device: Device, number: int, index: int) -> bool:
        """Whether a segment's packet was archived, or is about to be."""
        if any((row.device, row.stream, row.index) == (name, number, index) for row in self._rows):
            return True
        if self._journal.has(name, number, index):
            return True
        times_us = device.stream(number).times_around(index)
        return self._store.has(name, number, index, times_us)

    def _count_damaged(self, error: ArchiveError) -> None:
        self.counts["damaged_file"] += 1


def _read(payload: bytes) -> Packet:
    """Read a payload as a packet of any model."""
    if len(payload) > schema.PACKET_BYTES_MAX:
        raise PacketError(
            f"{len(payload):,} bytes, a packet has at most {schema.PACKET_BYTES_MAX:,}."
        )
    return packets.read_header(payload)


def _price(outcome: Outcome, arrived: Arrived, allowance: Allowance, size: int) -> float:
    if outcome is Outcome.RESTART:
        return price.ODD
    is_next = outcome in {Outcome.FIRST, Outcome.NEXT} and arrived.stamped
    if is_next and allowance.explains(arrived.arrival_us, arrived.period_us):
        return 0.0
    return price.plain(size)
