"""Any port that pyserial opens: a device, ``socket://host:port``, ``rfc2217://``, ``loop://``."""

import errno
from typing import Any

import serial
from serial.tools import list_ports

from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link.base import DEFAULT_BAUD, POLL_S, WRITE_TIMEOUT_S, Link, Port


def open_serial(url: str, baud: int = DEFAULT_BAUD) -> Link:
    """Open ``url`` for this process alone.

    Raises:
        LinkError: there is no such port, it is in use, or it may not be opened.
    """
    return Link(url, open_port(url, baud), baud=baud)


def open_port(url: str, baud: int = DEFAULT_BAUD) -> Port:
    """Open ``url`` with this kit's time-outs; see ``open_serial``."""
    # Only a real device can be locked; the URL handlers have no such notion.
    lock: dict[str, Any] = {} if "://" in url else {"exclusive": True}
    try:
        port: Port = serial.serial_for_url(
            url, baudrate=baud, timeout=POLL_S, write_timeout=WRITE_TIMEOUT_S, **lock
        )
    except (serial.SerialException, OSError, ValueError) as error:
        raise LinkError(f"{url}: {_why_not(url, error)}") from error
    return port


def _why_not(url: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if "lock" in str(error) or number == errno.EBUSY:
        return "the port is in use by another program. Close that program, or name another port."
    if number == errno.EACCES:
        return "no permission to open the port. Add yourself to its group (dialout on Debian)."
    if number == errno.ENOENT:
        found = ", ".join(sorted(port.device for port in list_ports.comports())) or "none"
        return f"no such port. Found: {found}. Is the board plugged in?"
    if "://" in url:
        return f"cannot be opened ({error}). Is the other end listening?"
    return f"cannot be opened ({error}). Give a serial port or a URL that pyserial knows."
