"""A native firmware as a process behind a pseudo-terminal, opened like any serial port."""

import subprocess
from functools import partial
from pathlib import Path

from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link import process
from dynadeep.host_tools.link.emulated import EmulatedLink

TERMINAL_BYTES_PER_S = 1e6
"""A pseudo-terminal between two processes has no baud rate; it is faster than this."""


class NativeLink(EmulatedLink):
    """A link to a process of this computer; closing it ends the process."""

    def __init__(self, program: Path):
        """Start ``program`` behind a terminal of its own.

        Raises:
            LinkError: it cannot be started, or this system has no pseudo-terminals.
        """
        name, start = f"native ({program.name})", partial(_start, program)
        super().__init__(name, "the process", start, bytes_per_s=TERMINAL_BYTES_PER_S)


def _start(program: Path, terminal: int) -> process.Child:
    try:
        return process.start(
            [str(program.resolve())], stdin=terminal, stdout=terminal, stderr=subprocess.PIPE
        )
    except OSError as error:
        reason = f"{program}: cannot be started ({error.strerror}). Build it first."
        raise LinkError(reason) from error
