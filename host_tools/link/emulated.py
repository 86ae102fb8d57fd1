"""A process of this computer in a board's place, behind a pseudo-terminal opened as a port is."""

import os
from collections.abc import Callable
from contextlib import ExitStack

from dynadeep.host_tools.link import process
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.serial import open_port

Start = Callable[[int], process.Child]
"""Starts the process; gets the file descriptor of the board's end of the terminal."""


class EmulatedLink(Link):
    """A link to a process; closing it ends the process."""

    def __init__(
        self,
        name: str,
        program: str,
        start: Start,
        *,
        counts_instructions: bool = False,
        bytes_per_s: float | None = None,
    ):
        """Open a terminal, then start the process behind it.

        Args:
            name: of the link.
            program: the process, as a message calls it.
            start: starts it.
            counts_instructions: see ``Link``.
            bytes_per_s: None where it keeps to the rate of a UART.

        Raises:
            LinkError: the process cannot be started, or this system has no pseudo-terminals.
        """
        process.require_terminals(name)
        import tty

        self._program, self._last_words = program, b""

        # Both ends of the terminal stay open here: with the host's end shut the process reads a
        # hang-up, and with the board's end shut its last words, a fault report, would be lost.
        self._ends: tuple[int, ...] = os.openpty()
        with ExitStack() as undo:
            undo.callback(self._close_ends)
            board_end, host_end = self._ends
            tty.setraw(host_end)
            # The port first: opening it drops what has come, and firmware may speak as it starts.
            super().__init__(
                name, open_port(os.ttyname(host_end)), counts_instructions=counts_instructions
            )
            undo.callback(super().close)
            self.bytes_per_s = bytes_per_s or self.bytes_per_s
            self.child = start(board_end)
            undo.pop_all()

    def receive(self) -> bytes:
        """Return what has come; the end of the process is an error once nothing is left."""
        return self._while_it_runs(super().receive())

    def receive_block(self) -> bytes:
        """Return what comes in a while; the end of the process is an error, as in ``receive``."""
        return self._while_it_runs(super().receive_block())

    def explain(self) -> str:
        """Say whether the process ended, and its last words."""
        status, stderr = self.child.poll(), self.child.stderr
        if status is None or stderr is None or stderr.closed:
            return ""
        self._last_words += stderr.read()
        lines = [line for line in self._last_words.decode(errors="replace").splitlines() if line]
        # A sanitizer's verdict stands in the line that says ERROR or "runtime error".
        last = lines[-1] if lines else "without a word"
        verdict = next((line.strip() for line in lines if "rror:" in line), last)
        return f"{self._program} ended with status {status}: {verdict}"

    def close(self) -> None:
        """End the process and close the terminal."""
        super().close()
        process.stop(self.child)
        self._close_ends()

    def _while_it_runs(self, data: bytes) -> bytes:
        if not data and self.child.poll() is not None:
            raise self._gone(EOFError())
        return data

    def _close_ends(self) -> None:
        for end in self._ends:
            os.close(end)
        self._ends = ()
