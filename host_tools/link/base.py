"""A byte stream to a board, and what is known of its other end."""

from types import TracebackType
from typing import Protocol, Self

import serial

from dynadeep.host_tools.errors import LinkError

POLL_S = 0.05
"""How long a read waits. Fixed, because setting it reconfigures the port each time."""

WRITE_TIMEOUT_S = 2.0

BLOCK_BYTES = 1 << 14

DEFAULT_BAUD = 115_200
BITS_PER_BYTE = 10  # with start and stop bit


class Port(Protocol):
    """What is used of pyserial's interface."""

    @property
    def in_waiting(self) -> int:
        """Bytes that a read would return at once."""
        ...

    def read(self, size: int = 1) -> bytes:
        """Return up to ``size`` bytes, fewer or none if they do not come in ``POLL_S``."""
        ...

    def write(self, data: bytes, /) -> int | None:
        """Send ``data``."""
        ...

    def reset_input_buffer(self) -> None:
        """Forget what came and was not read."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...


class Link:
    """An open link; a context manager that closes it.

    ``counts_instructions`` is true where a nanosecond of the board's time is an instruction,
    which no board can know of itself. ``baud`` is None where the wire has no rate.
    """

    def __init__(
        self,
        name: str,
        port: Port,
        *,
        counts_instructions: bool = False,
        baud: int | None = None,
    ):
        self.name = name
        self.port = port
        self.counts_instructions = counts_instructions
        self.baud = baud

        self.bytes_per_s = (baud or DEFAULT_BAUD) / BITS_PER_BYTE

    def send(self, data: bytes) -> bool:
        """Send ``data``; False if the other end does not take it in time.

        Raises:
            LinkError: the port is gone.
        """
        try:
            self.port.write(data)
        except serial.SerialTimeoutException:
            return False
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from error
        return True

    def receive(self) -> bytes:
        """Return what has come, after waiting ``POLL_S`` at most.

        Raises:
            LinkError: the port is gone.
        """
        try:
            first = self.port.read(1)
            return first + self.port.read(self.port.in_waiting) if first else first
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from error

    def receive_block(self) -> bytes:
        """Return what comes within ``POLL_S``, for who listens to much and answers nothing.

        Raises:
            LinkError: the port is gone.
        """
        try:
            return self.port.read(BLOCK_BYTES)
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from error

    def forget_input(self) -> None:
        """Drop what came before, such as a boot loader's greeting."""
        try:
            self.port.reset_input_buffer()
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from error

    def explain(self) -> str:
        """Say what is known of a silent other end; empty if nothing."""
        return ""

    def close(self) -> None:
        """Give back everything that was opened. May be called twice."""
        self.port.close()

    def _gone(self, error: Exception) -> LinkError:
        reason = self.explain() or f"{error}. Was it unplugged?"
        return LinkError(f"{self.name}: the link broke: {reason}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
