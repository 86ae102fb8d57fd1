"""Firmware in QEMU: its UART is a pseudo-terminal, opened like any serial port."""

import os
import select
import shutil
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link import process
from dynadeep.host_tools.link.emulated import EmulatedLink

START_TIMEOUT_S = 20.0
INSTRUCTION_PER_NANOSECOND = "shift=0"


class QemuLink(EmulatedLink):
    """A link to an emulated board; closing it ends QEMU."""

    def __init__(
        self,
        elf: Path,
        machine: str,
        arguments: Sequence[str] = (),
        program: str = "qemu-system-arm",
    ):
        """Start ``machine`` on ``elf``, its UART open already.

        Raises:
            MissingDependencyError: QEMU is not installed.
            LinkError: there is no such file, or QEMU does not start, or this system has no
                pseudo-terminals.
        """
        counts = INSTRUCTION_PER_NANOSECOND in arguments
        start = partial(_start, program, machine, arguments, elf)
        super().__init__(f"QEMU {machine}", "QEMU", start, counts_instructions=counts)
        try:
            self._await_start()
        except BaseException:
            self.close()
            raise

    def _await_start(self) -> None:
        """Wait for the greeting of QEMU's control socket: the machine is there then."""
        assert self.child.stdout is not None
        ready, _, _ = select.select([self.child.stdout], [], [], START_TIMEOUT_S)
        if not ready:
            raise LinkError(f"{self.name}: QEMU did not start within {START_TIMEOUT_S:.0f} s.")
        if not os.read(self.child.stdout.fileno(), 4096):
            self.child.wait(process.PATIENCE_S)
            raise LinkError(f"{self.explain()}. Is the machine in `qemu-system-arm -M help`?")


def _start(
    program: str, machine: str, arguments: Sequence[str], elf: Path, uart: int
) -> process.Child:
    if not elf.is_file():
        raise LinkError(f"{elf}: no such firmware. Build it first.")
    path = shutil.which(program)
    if path is None:
        raise MissingDependencyError(
            f"{program}: not installed. Install it: apt-get install qemu-system-arm"
        )
    command = [path, "-M", machine, "-kernel", str(elf), "-display", "none", "-monitor", "none"]
    command += ["-add-fd", f"fd={uart},set=1", "-chardev", "serial,id=uart,path=/dev/fdset/1"]
    command += ["-serial", "chardev:uart", "-qmp", "stdio", *arguments]
    return process.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, inherited=(uart,))
