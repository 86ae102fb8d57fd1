"""Any port that pyserial opens: a device, ``socket://host:port``, ``rfc2217://``, ``loop://``."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import serial
from serial.tools import list_ports

from dynadeep.codegen.errors import BusyError
from dynadeep.codegen.lock import locked
from dynadeep.host_tools.errors import LinkError, NoPortError, PortBusyError, PortDeniedError
from dynadeep.host_tools.link.base import DEFAULT_BAUD, POLL_S, WRITE_TIMEOUT_S, Link, Port

ELSEWHERE = "Close that program, or name another port."


class SerialLink(Link):
    """A link over a port that the user named, held against every other command until it is closed.

    Raises:
        NoPortError: there is no such port.
        PortBusyError: another program has it.
        PortDeniedError: the user may not open it.
        LinkError: it cannot be opened for another reason.
    """

    def __init__(self, url: str, baud: int = DEFAULT_BAUD):
        with ExitStack() as stack:
            stack.enter_context(_locked_port(url))
            super().__init__(url, open_port(url, baud), baud=baud)
            self._held = stack.pop_all()

    def close(self) -> None:
        """Close the port, then let the next command have it."""
        super().close()
        self._held.close()


def open_port(url: str, baud: int = DEFAULT_BAUD) -> Port:
    """Open ``url`` with this kit's time-outs; see ``SerialLink`` for what it raises."""
    # Only a real device can be locked; the URL handlers have no such notion.
    lock: dict[str, Any] = {} if "://" in url else {"exclusive": True}
    try:
        port: Any = serial.serial_for_url(
            url, baudrate=baud, timeout=POLL_S, write_timeout=WRITE_TIMEOUT_S, **lock
        )
    except (serial.SerialException, OSError, ValueError) as error:
        raise _open_error(url, error) from error
    # FTDI's adapters keep a short reply back for 16 ms, unless they are asked not to.
    with suppress(AttributeError, NotImplementedError, OSError, ValueError):
        port.set_low_latency_mode(True)
    return port  # type: ignore[no-any-return]


@contextmanager
def _locked_port(url: str) -> Iterator[None]:
    """Hold a port against other commands of this user, by whatever name they know it.

    ``exclusive`` alone names nobody, and knows nothing of sockets.
    """
    if url.startswith("loop://"):  # it ends in this process
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(lock_of(url), wait=False))
        except BusyError as error:
            text = f"{url}: the port is in use by {error.holder}. {ELSEWHERE}"
            raise PortBusyError(text) from error
        yield


def lock_of(url: str) -> Path:
    """Return what ``codegen.lock`` holds while a port is used, by whatever name."""
    name = url if "://" in url else os.path.realpath(url)
    user = os.geteuid() if hasattr(os, "geteuid") else os.environ.get("USERNAME", "")
    return Path(tempfile.gettempdir()) / f"dynadeep-ports-{user}" / quote(name, safe="")


def _open_error(url: str, error: Exception) -> LinkError:
    number = getattr(error, "errno", None)
    if "lock" in str(error) or number == errno.EBUSY:
        return PortBusyError(f"{url}: the port is in use by another program. {ELSEWHERE}")
    if number == errno.EACCES:
        return PortDeniedError(
            f"{url}: no permission to open the port. Add yourself to its group "
            f"({_group_of(url)}): sudo usermod -aG {_group_of(url)} $USER, then log in again."
        )
    if number == errno.ENOENT:
        devices = ", ".join(sorted(port.device for port in list_ports.comports())) or "none"
        return NoPortError(
            f"{url or repr(url)}: no such port. Found: {devices}. Is the board plugged in?"
        )
    if "://" in url and not isinstance(error, ValueError):  # of a kind that pyserial knows
        return LinkError(f"{url}: cannot be opened ({error}). Is the other end listening?")
    return LinkError(
        f"{url}: cannot be opened ({error}). Give a serial port or a URL that pyserial knows."
    )


def _group_of(url: str) -> str:
    """Return the group that may open a device: dialout on Debian."""
    with suppress(ImportError, OSError, KeyError):
        import grp

        group = grp.getgrgid(Path(url).stat().st_gid).gr_name
        return group if group != "root" else "dialout"
    return "dialout"
