"""A bad cable: wraps a port and loses, doubles, flips, adds or holds back bytes, by a seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from dynadeep.host_tools.link.base import Port

Kind = Literal["drop", "double", "flip", "delay", "noise"]


@dataclass
class Faults:
    """What happens to the bytes that go one way.

    ``at`` names single bytes by their number since the beginning; ``rate`` adds random ones. A
    delayed byte, and all after it, come with the next read or write; noise is two bytes more.
    """

    at: dict[int, Kind] = field(default_factory=dict)
    rate: float = 0.0
    kinds: tuple[Kind, ...] = ("drop", "double", "flip")
    seed: int = 0
    count: int = field(default=0, init=False)  # bytes that went by
    injected: int = field(default=0, init=False)  # faults that happened

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._held = b""

    def apply(self, data: bytes) -> bytes:
        """Return what the other side gets of ``data``."""
        out = bytearray(self._held)
        self._held = b""
        for index, byte in enumerate(data):
            kind = self._next_kind()
            if kind == "delay":
                self._held = data[index:]
                self.count += len(data) - index - 1
                break
            out += self._spoil(byte, kind)
        return bytes(out)

    def _next_kind(self) -> Kind | None:
        kind = self.at.get(self.count)
        if kind is None and self._random.random() < self.rate:
            kind = self._random.choice(self.kinds)
        self.count += 1
        self.injected += kind is not None
        return kind

    def _spoil(self, byte: int, kind: Kind | None) -> bytes:
        if kind == "drop":
            return b""
        if kind == "double":
            return bytes((byte, byte))
        if kind == "noise":
            return bytes((self._random.randrange(256), self._random.randrange(256), byte))
        if kind == "flip":
            byte ^= 1 << self._random.randrange(8)
        return bytes((byte,))


class FaultyPort:
    """A port with pyserial's interface whose bytes suffer ``to_board`` and ``to_host``."""

    def __init__(self, port: Port, to_board: Faults | None = None, to_host: Faults | None = None):
        self._port = port
        self._to_board = to_board or Faults()
        self._to_host = to_host or Faults()
        self._ready = b""

    @property
    def in_waiting(self) -> int:
        """Bytes that a read would return at once."""
        self._take(lambda: self._port.read(waiting) if (waiting := self._port.in_waiting) else b"")
        return len(self._ready)

    def read(self, size: int = 1) -> bytes:
        """Return up to ``size`` spoilt bytes."""
        if not self._ready:
            self._take(lambda: self._port.read(size))
        data, self._ready = self._ready[:size], self._ready[size:]
        return data

    def write(self, data: bytes, /) -> int | None:
        """Send ``data`` spoilt."""
        self._port.write(self._to_board.apply(data))
        return len(data)

    def reset_input_buffer(self) -> None:
        """Forget what came and was not read."""
        self._ready = b""
        self._port.reset_input_buffer()

    def close(self) -> None:
        """Close the port beneath."""
        self._port.close()

    def _take(self, read: Callable[[], bytes]) -> None:
        self._ready += self._to_host.apply(read())
