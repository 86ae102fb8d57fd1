"""The serial ports of this computer, and which of the kit's boards each of them could be."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from serial.tools import list_ports as serial_ports

from dynadeep.codegen.board import board_names, load_board

ADAPTERS = {
    0x0403: "FTDI",
    0x10C4: "Silicon Labs CP210x",
    0x1A86: "WCH CH340",
    0x067B: "Prolific",
}
"""Makers of USB adapters that any board may be wired to."""


@dataclass(frozen=True)
class SerialPort:
    """One port. ``usb`` is vendor:product in hexadecimal, "" where there is none."""

    device: str
    description: str
    usb: str
    serial_number: str
    boards: tuple[str, ...]  # that show these USB ids
    adapter: str  # its maker, where any board may be behind it


def list_ports() -> list[SerialPort]:
    """Return all ports, those of USB devices first."""
    return describe(serial_ports.comports())


def describe(infos: Iterable[Any]) -> list[SerialPort]:
    """Return pyserial's ports with the boards that they could be."""
    by_usb: dict[str, list[str]] = {}
    for name in board_names():
        for usb in load_board(name).usb:
            by_usb.setdefault(usb, []).append(name)
    ports = [_port(info, by_usb) for info in infos]
    return sorted(ports, key=lambda port: (not port.usb, port.device))


def _port(info: Any, by_usb: dict[str, list[str]]) -> SerialPort:
    usb = "" if info.vid is None else f"{info.vid:04x}:{info.pid or 0:04x}"
    boards = tuple(by_usb.get(usb, ()))
    return SerialPort(
        device=info.device,
        description="" if info.description in (None, "n/a") else info.description,
        usb=usb,
        serial_number=info.serial_number or "",
        boards=boards,
        adapter="" if boards else ADAPTERS.get(info.vid or 0, ""),
    )
