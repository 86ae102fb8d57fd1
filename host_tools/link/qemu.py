"""Firmware in QEMU: its UART is a pseudo-terminal, opened like any serial port."""

import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link import process
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.serial import open_port

START_TIMEOUT_S = 20.0
TERMINAL = re.compile(rb"char device redirected to (\S+)")
INSTRUCTION_PER_NANOSECOND = "shift=0"


class QemuLink(Link):
    """A link to an emulated board; closing it ends QEMU."""

    def __init__(
        self,
        elf: Path,
        machine: str,
        arguments: Sequence[str] = (),
        program: str = "qemu-system-arm",
    ):
        """Start ``machine`` on ``elf`` and open its UART.

        Raises:
            MissingDependencyError: QEMU is not installed.
            LinkError: there is no such file, or QEMU does not start, or this system has no
                pseudo-terminals.
        """
        process.require_terminals(machine)
        if not elf.is_file():
            raise LinkError(f"{elf}: no such firmware. Build it first.")
        self._output = b""
        self.child = _start(program, machine, arguments, elf)
        try:
            terminal = self._find_terminal()
            super().__init__(
                f"QEMU {machine} ({terminal})",
                open_port(terminal),
                counts_instructions=INSTRUCTION_PER_NANOSECOND in arguments,
            )
        except BaseException:
            process.stop(self.child)
            raise

    def explain(self) -> str:
        """Say whether QEMU ended, and its last words."""
        status = self.child.poll()
        if status is None or self.child.stdout is None or self.child.stdout.closed:
            return ""
        self._output += self.child.stdout.read()
        words = [line for line in self._output.decode(errors="replace").splitlines() if line]
        last = words[-1] if words else "without a word"
        return f"QEMU ended with status {status}: {last}"

    def close(self) -> None:
        """Close the terminal and end QEMU."""
        super().close()
        process.stop(self.child)

    def _find_terminal(self) -> str:
        assert self.child.stdout is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while (found := TERMINAL.search(self._output)) is None:
            ready, _, _ = select.select([self.child.stdout], [], [], deadline - time.monotonic())
            piece = os.read(self.child.stdout.fileno(), 4096) if ready else b""
            self._output += piece
            if not piece:
                raise LinkError(self._why_no_terminal(ended=bool(ready)))
        return found.group(1).decode()

    def _why_no_terminal(self, *, ended: bool) -> str:
        if ended:
            self.child.wait(process.PATIENCE_S)
            return f"{self.explain()}. Is the machine in `qemu-system-arm -M help`?"
        return f"QEMU named no terminal for its UART within {START_TIMEOUT_S:.0f} s."


def _start(program: str, machine: str, arguments: Sequence[str], elf: Path) -> process.Child:
    path = shutil.which(program)
    if path is None:
        raise MissingDependencyError(
            f"{program}: not installed. Install it: apt-get install qemu-system-arm"
        )
    command = [path, "-M", machine, "-kernel", str(elf), "-display", "none", "-monitor", "none"]
    command += ["-serial", "pty", *arguments]
    return process.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
