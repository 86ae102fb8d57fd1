"""A board and its wire in time that only the test lets pass: what a wait costs is counted exactly.

The firmware itself is tested over real ports, beside this; here nothing but time is simulated.
"""

import heapq
import zlib
from collections.abc import Iterable

from dynadeep.host_tools.link.base import POLL_S
from dynadeep.host_tools.link.frames import CRC, END, HEADER, FrameReader, Reply, cobs_encode
from dynadeep.host_tools.link.protocol import REPLY_REQUEST, Command, Status

BYTES_PER_S = 11_520.0


class TimedBoard:
    """A port with a board that takes ``busy_s`` for a request, and answers a repeated one at once.

    ``drop_at`` names bytes of the way to the board that are lost, by their number; ``echo`` has
    every byte come back as well; a board that is not ``alive`` says nothing.
    """

    def __init__(
        self,
        busy_s: float = 1.0,
        reply: bytes = bytes(40),
        *,
        drop_at: Iterable[int] = (),
        echo: bool = False,
        alive: bool = True,
    ):
        self.now = 0.0
        self.busy_s = busy_s
        self.acted: list[int] = []  # sequence numbers, in the order in which they were acted on
        self.sent_at: list[float] = []  # when each try was sent
        self._reply = reply
        self._drop_at = set(drop_at)
        self._echo, self._alive = echo, alive
        self._coming: list[tuple[float, int, int]] = []  # when, which one of them, the byte
        self._ready = bytearray()
        self._bytes_in = 0
        self._number = 0
        self._free_at = 0.0
        self._last: tuple[Reply, bytes] | None = None  # request, and the body that answers it
        self._reader = FrameReader()

    def clock(self) -> float:
        return self.now

    def noise(self, data: bytes, every_s: float, until_s: float = 60.0) -> None:
        """Have ``data`` come to the host again and again."""
        for count in range(int(until_s / every_s)):
            self._arrive(data, (count + 0.5) * every_s)

    @property
    def in_waiting(self) -> int:
        self._settle()
        return len(self._ready)

    def read(self, size: int = 1) -> bytes:
        self._settle()
        if not self._ready:
            self.now += POLL_S
            self._settle()
        out = bytes(self._ready[:size])
        del self._ready[:size]
        return out

    def write(self, data: bytes, /) -> int:
        self.sent_at.append(self.now)
        for index, byte in enumerate(data):
            at = self.now + (index + 1) / BYTES_PER_S
            if self._echo:
                self._arrive(bytes((byte,)), at)
            if self._alive and self._bytes_in not in self._drop_at:
                for request in self._reader.feed(bytes((byte,))):
                    if isinstance(request, Reply):
                        self._act(request, at)
            self._bytes_in += 1
        return len(data)

    def reset_input_buffer(self) -> None:
        self._settle()
        self._ready.clear()

    def close(self) -> None:
        pass

    def _settle(self) -> None:
        """Take over what has come by now."""
        while self._coming and self._coming[0][0] <= self.now:
            self._ready.append(heapq.heappop(self._coming)[2])

    def _act(self, request: Reply, at: float) -> None:
        start = max(at, self._free_at)
        if request.command == Command.REPLY:
            body = self._remembered(request)
        else:
            if self._last is None or self._last[0] != request:
                self.acted.append(request.sequence)
                start += self.busy_s
                self._last = (request, sealed(request, Status.OK, self._reply))
            body = self._last[1]
        wire = END + cobs_encode(body) + END
        self._arrive(wire, start)
        self._free_at = start + len(wire) / BYTES_PER_S

    def _remembered(self, request: Reply) -> bytes:
        """Return the body that gives a piece of the last reply."""
        sequence, offset, count = REPLY_REQUEST.unpack(request.payload)
        if self._last is None or self._last[0].sequence != sequence:
            return sealed(request, Status.BAD_ARGUMENT, b"")
        return sealed(request, Status.OK, self._last[1][offset : offset + count])

    def _arrive(self, data: bytes, begin: float) -> None:
        for index, byte in enumerate(data):
            heapq.heappush(self._coming, (begin + (index + 1) / BYTES_PER_S, self._number, byte))
            self._number += 1


def sealed(request: Reply, status: Status, payload: bytes) -> bytes:
    """Return the body of a reply, its CRC at the end."""
    body = HEADER.pack(request.sequence, request.command, status) + payload
    return body + CRC.pack(zlib.crc32(body))


WORKING = Command.CONSTANTS
"""A command that costs the board an inference."""
