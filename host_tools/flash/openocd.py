"""Flashing through OpenOCD: one process, one Tcl script, no port opened."""

import re
import subprocess

from dynadeep.codegen.board import Probe
from dynadeep.codegen.files import write_whole
from dynadeep.host_tools.errors import FlashError
from dynadeep.host_tools.flash.chip import check_chip
from dynadeep.host_tools.toolchain import Firmware, require

QUIET = "gdb_port disabled; tcl_port disabled; telnet_port disabled"
"""Several boards may be flashed at a time: their servers would be in each other's way."""

LONGEST_S = 180.0
CHIP = re.compile(r"^dynadeep chip (0x[0-9a-f]{1,8})$", re.MULTILINE)
DONE = "dynadeep flashed"
ERROR = re.compile(r"^Error: (.+)$", re.MULTILINE)
SPECIAL = re.compile(r'([\s{}\[\]$"\\;])')


def flash(probe: Probe, firmware: Firmware, serial: str | None) -> None:
    """Write an ELF file to the part on a probe, verify it, and start it.

    Raises:
        MissingDependencyError: OpenOCD is not installed.
        WrongChipError: another chip is there; nothing was written.
        FlashError: there is no such probe, or writing failed.
    """
    command = [require("openocd")]
    interface, *parts = probe.openocd
    command += ["-f", interface]
    if probe.transport is not None:
        command += ["-c", f"transport select {probe.transport}"]
    for file in parts:
        command += ["-f", file]
    command += ["-c", script(probe, str(firmware.elf.resolve()), serial)]
    output, status = _run(command)
    write_whole(firmware.log, f"{_earlier_log(firmware)}$ {' '.join(command)}\n{output}\n")
    chip = CHIP.search(output)
    if chip is not None:
        check_chip(probe.identity, int(chip[1], 16))
    if status != 0 or DONE not in output:
        raise FlashError(f"openocd failed: {complaint(output, serial)} Log: {firmware.log}")


def script(probe: Probe, elf: str, serial: str | None) -> str:
    """Return what OpenOCD does: it reads the chip's identity, and writes only to the right one."""
    identity, image = probe.identity, tcl_word(elf)
    before = [QUIET] if serial is None else [QUIET, f"adapter serial {tcl_word(serial)}"]
    steps = [
        "init",
        f"set chip [lindex [read_memory {identity.address:#x} 32 1] 0]",
        'echo [format "dynadeep chip 0x%x" $chip]',
        f"if {{($chip & {identity.mask:#x}) != {identity.value:#x}}} {{error {{another chip}}}}",
        "reset init",
        f"flash write_image erase {image}",
        f"verify_image {image}",
        "reset run",
        f"echo {tcl_word(DONE)}",
    ]
    failed = 'echo "Error: $said"; shutdown error'
    tried = f"if {{[catch {{{'; '.join(steps)}}} said]}} {{{failed}}}"
    return "; ".join([*before, tried, "shutdown"])


def tcl_word(text: str) -> str:
    """Return text as one word of Tcl, whatever it holds."""
    return SPECIAL.sub(r"\\\1", text)


def complaint(output: str, serial: str | None) -> str:
    """Return the first error that OpenOCD tells, and what to do about it."""
    errors = ERROR.findall(output)
    reason = errors[0].rstrip(".!") if errors else "it said nothing"
    if re.search(
        r"no (\S+ )?device found|unable to (open|find)|open failed", output, re.IGNORECASE
    ):
        qualifier = f"with the serial number {serial}" if serial is not None else "found"
        return (
            f"no debug probe {qualifier} ({reason}). Is the board plugged in, and may you use its "
            "probe (udev rules on Linux)?"
        )
    return f"{reason}. Is the board powered, and no debugger connected to it?"


def _run(command: list[str]) -> tuple[str, int]:
    try:
        completed = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FlashError(
            f"openocd failed: it was not done within {LONGEST_S:.0f} s. Unplug the board's probe "
            "and plug it in again."
        ) from error
    return completed.stdout, completed.returncode


def _earlier_log(firmware: Firmware) -> str:
    return firmware.log.read_text(encoding="utf-8") if firmware.log.is_file() else ""
