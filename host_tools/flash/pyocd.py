"""Flashing through pyOCD's Python interface."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dynadeep.codegen.board import Probe
from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools.errors import FlashError
from dynadeep.host_tools.flash.chip import check_chip

GENERIC = "cortex_m"
"""pyOCD's name of any Cortex-M: reads memory, and writes no flash."""

OPTIONS = {"auto_unlock": False, "no_config": True, "cmsis_dap.prefer_v1": False}
"""A locked part is not erased behind the user's back, and no file here changes what is done."""


def is_installed() -> bool:
    """Return whether the package is there."""
    return find_spec("pyocd") is not None


def flash(probe: Probe, elf: Path, serial: str | None) -> None:
    """Write an ELF file to the part on a probe, and start it.

    Raises:
        MissingDependencyError: pyOCD is not installed.
        WrongChipError: another chip is there; nothing was written.
        FlashError: there is no such probe, or writing failed.
    """
    if not is_installed():
        raise MissingDependencyError(
            "pyocd: not installed. Run: pip install 'dynadeep[flash]', or flash with openocd."
        )
    from pyocd.core.helpers import ConnectHelper
    from pyocd.flash.file_programmer import FileProgrammer

    with _flash_errors(probe):
        probes = ConnectHelper.get_all_connected_probes(blocking=False)
        chosen = choose(probes, serial)
        with _session(chosen, GENERIC) as session:
            check_chip(probe.identity, session.target.read32(probe.identity.address))
        with _session(chosen, str(probe.pyocd)) as session:
            FileProgrammer(session).program(str(elf), file_format="elf")
            session.target.reset()


def choose(probes: Sequence[Any], serial: str | None) -> Any:
    """Return the probe of a serial number, or the only one there is.

    Raises:
        FlashError: there is none, or it is not clear which.
    """
    listing = ", ".join(f"{probe.unique_id} ({probe.description})" for probe in probes) or "none"
    if serial is not None:
        probes = [probe for probe in probes if probe.unique_id.lower() == serial.lower()]
    if len(probes) == 1:
        return probes[0]
    if serial is not None:
        raise FlashError(
            f"no debug probe with the serial number {serial}, found {listing}. Is it plugged in, "
            "and may you use it (udev rules on Linux)?"
        )
    if not probes:
        raise FlashError(
            "no debug probe found, expected one on USB. Is the board plugged in, and may you use "
            "its probe (udev rules on Linux)?"
        )
    raise FlashError(
        f"several debug probes: {listing}. Name the board's by --probe and its number."
    )


@contextmanager
def _session(probe: Any, target: str) -> Iterator[Any]:
    """Connect to the part on a probe as one of pyOCD's targets."""
    from pyocd.core.session import Session

    with Session(probe, options=OPTIONS | {"target_override": target}) as session:
        yield session


@contextmanager
def _flash_errors(probe: Probe) -> Iterator[None]:
    """Turn pyOCD's exceptions into one line."""
    from pyocd.core.exceptions import Error, TargetSupportError

    try:
        yield
    except TargetSupportError as error:
        raise FlashError(
            f"pyocd failed: it does not know the part {probe.pyocd}. Install its pack: "
            f"pyocd pack install {probe.pyocd}. Or flash with openocd."
        ) from error
    except (Error, OSError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FlashError(
            f"pyocd failed: {reason}. Is the board powered, and no debugger connected to it?"
        ) from error
