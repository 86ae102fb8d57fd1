"""A wire with a rate, between the host and an emulated board, in time that the bytes alone move.

A byte takes ten bits of the line; who answers is heard ``turn_s`` later, as through a USB adapter.
The board's own time is not counted: what is measured is the link. So the figures are the same on
every computer, busy or not.
"""

import time

from dynadeep.host_tools.link.base import BITS_PER_BYTE, POLL_S, Port

TURN_S = 0.001
"""From the end of a request on the wire to the first byte of its answer at the host, the board's
work aside: a frame of full-speed USB."""

REAL_PATIENCE_S = 20.0
"""How long the emulator may really take before the wire is taken to be silent."""


class PacedPort:
    """A port whose bytes take their time on ``clock``, which stands still while the board works."""

    def __init__(
        self,
        port: Port,
        baud: int,
        patience_s: float = REAL_PATIENCE_S,
        *,
        turn_s: float = TURN_S,
    ):
        self.now = 0.0
        self.turn_s = turn_s
        self.bytes_per_s = baud / BITS_PER_BYTE
        self.carried = 0  # bytes, both ways
        self._port = port
        self._patience_s = patience_s
        self._asked = False

    def clock(self) -> float:
        """Return the time on the wire, in seconds."""
        return self.now

    @property
    def in_waiting(self) -> int:
        """Bytes that a read would return at once."""
        return self._port.in_waiting

    def read(self, size: int = 1) -> bytes:
        """Return bytes as they come; the wire is silent only if the emulator really is."""
        until = time.monotonic() + self._patience_s
        data = self._port.read(size)
        while size and not data and time.monotonic() < until:
            data = self._port.read(size)
        if not data:
            self.now += POLL_S if size else 0.0
            return data
        self.now += self.turn_s if self._asked else 0.0
        self._asked = False
        self._carry(len(data))
        return data

    def write(self, data: bytes, /) -> int | None:
        """Send ``data`` at the wire's rate."""
        self._asked = True
        self._carry(len(data))
        return self._port.write(data)

    def reset_input_buffer(self) -> None:
        """Forget what came and was not read."""
        self._port.reset_input_buffer()

    def close(self) -> None:
        """Close the port beneath."""
        self._port.close()

    def _carry(self, count: int) -> None:
        self.carried += count
        self.now += count / self.bytes_per_s
