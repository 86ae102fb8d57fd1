"""A native firmware as a process behind a pseudo-terminal, opened like any serial port."""

import os
import subprocess
from pathlib import Path

from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link import process
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.serial import open_port

TERMINAL_BYTES_PER_S = 1e6
"""A pseudo-terminal between two processes has no baud rate; it is faster than this."""


class NativeLink(Link):
    """A link to a process of this computer; closing it ends the process."""

    def __init__(self, program: Path):
        """Start ``program`` behind a terminal of its own.

        Raises:
            LinkError: it cannot be started, or this system has no pseudo-terminals.
        """
        process.require_terminals(program.name)
        import tty

        # Both ends of the terminal stay open here: with the host's end shut the process reads a
        # hang-up, and with the board's end shut its last words, a fault report, would be lost.
        self._ends: tuple[int, ...] = os.openpty()
        try:
            board_end, host_end = self._ends
            tty.setraw(host_end)
            # The port first: opening it drops what has come, and firmware may speak as it starts.
            super().__init__(f"native ({program.name})", open_port(os.ttyname(host_end)))
            self.bytes_per_s = TERMINAL_BYTES_PER_S
            try:
                self.child = _start(program, board_end)
            except BaseException:
                super().close()
                raise
        except BaseException:
            self._close_ends()
            raise

    def receive(self) -> bytes:
        """Return what has come; the end of the process is an error once nothing is left."""
        data = super().receive()
        if not data and self.child.poll() is not None:
            raise self._gone(EOFError())
        return data

    def explain(self) -> str:
        """Say whether the process ended, and its last words."""
        status = self.child.poll()
        if status is None or self.child.stderr is None or self.child.stderr.closed:
            return ""
        words = self.child.stderr.read().decode(errors="replace").splitlines()
        # A sanitizer's verdict stands in the line that says ERROR or "runtime error".
        verdict = next((line.strip() for line in words if "rror:" in line), "")
        return f"the process ended with status {status}. {verdict}".strip()

    def close(self) -> None:
        """End the process and close the terminal."""
        super().close()
        process.stop(self.child)
        self._close_ends()

    def _close_ends(self) -> None:
        for end in self._ends:
            os.close(end)
        self._ends = ()


def _start(program: Path, terminal: int) -> process.Child:
    try:
        return process.start(
            [str(program.resolve())], stdin=terminal, stdout=terminal, stderr=subprocess.PIPE
        )
    except OSError as error:
        reason = f"{program}: cannot be started ({error.strerror}). Build it first."
        raise LinkError(reason) from error
