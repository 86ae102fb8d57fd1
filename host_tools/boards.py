"""Boards as a user meets them: what is known of each, which is attached, one of their own."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dynadeep.codegen.board import DESCRIPTION, Board, board_names, load_board, parse_board
from dynadeep.codegen.errors import OutputError
from dynadeep.codegen.files import write_folder_whole, write_whole
from dynadeep.codegen.lock import locked
from dynadeep.codegen.sources import own_files, plain_board
from dynadeep.host_tools.errors import HostError, LinkError
from dynadeep.host_tools.link.base import DEFAULT_BAUD
from dynadeep.host_tools.link.device import Device, Patience
from dynadeep.host_tools.link.ports import SerialPort, list_ports
from dynadeep.host_tools.link.serial import SerialLink

AUTO = "auto"
"""Given as a board's name: whichever one answers."""

EMULATED, HERE, NOT_RUN = "run here, emulated", "run here", "built, not run here"
OWN = "your own"
"""The kit's tests know nothing of such a board."""

NAME = re.compile(r'^name = ".*"', re.MULTILINE)
ABOUT = re.compile(r'^description = ".*"', re.MULTILINE)
BUDGET = re.compile(r"^\[budget\][^\[]*", re.MULTILINE)


@dataclass(frozen=True)
class KnownBoard:
    """A board, and what this computer can do with it."""

    board: Board
    reached: str  # "emulator", "UART at 115,200 baud", ...
    flashed: str  # by what, the first choice first; "" where nothing is known
    run: str  # whether the kit's own tests run it
    ports: tuple[str, ...]  # serial ports that it could be at


@dataclass(frozen=True)
class Attached:
    """A board that answered at a serial port."""

    port: str
    board: str  # as its firmware calls it
    model_id: str


def known_boards(folders: Sequence[str] = (), ports: Sequence[SerialPort] = ()) -> list[KnownBoard]:
    """Return all boards of the kit and those of some folders, with the ports they could be at.

    Raises:
        BoardError: a folder holds no board, or its description is wrong.
    """
    kits = [_describe(load_board(name), ports) for name in board_names()]
    return [*kits, *(replace(_describe(load_board(folder), ports), run=OWN) for folder in folders)]


def _describe(board: Board, ports: Sequence[SerialPort]) -> KnownBoard:
    ways = [] if board.emulator is None else [f"{board.emulator.program}"]
    if board.uart is not None:
        ways.append(f"serial port, {board.uart.baud:,} baud")
    run = NOT_RUN if board.cortex_m else HERE
    return KnownBoard(
        board=board,
        reached=" or ".join(ways) or "a process of this computer",
        flashed=", ".join(flashers(board)),
        run=run if board.emulator is None else EMULATED,
        ports=tuple(port.device for port in ports if port.usb in board.usb),
    )


def board_json(known_board: KnownBoard) -> dict[str, Any]:
    """Return a board as plain data: all that its description says, and what is known beside it."""
    described = {
        name: value for name, value in asdict(known_board.board).items() if name != "folder"
    }
    beside = {name: value for name, value in vars(known_board).items() if name != "board"}
    return described | beside


def flashers(board: Board) -> list[str]:
    """Return what can write a board's flash, the first choice first."""
    names = [] if board.flasher is None else [board.flasher.program]
    if board.probe is not None:
        names = [*(["pyocd"] if board.probe.pyocd else []), "openocd", *names]
    return names


def find_attached(ports: Sequence[SerialPort] | None = None) -> Attached:
    """Ask each USB serial port which board is there; return the one that answers.

    Raises:
        LinkError: no port, none that answers, or more than one board.
    """
    usb = [port for port in (list_ports() if ports is None else ports) if port.usb]
    if not usb:
        raise LinkError(
            "auto: no USB serial port to look for a board at. Is it plugged in, and may you see "
            "its port (dialout on Debian)? A port of another kind goes with --port."
        )
    answers = [_ask(port.device) for port in usb]
    attached = [answer for answer in answers if isinstance(answer, Attached)]
    if len(attached) > 1:
        names = ", ".join(f"{answer.board} at {answer.port}" for answer in attached)
        raise LinkError(f"auto: {names} answer, expected one board. Name the --port of yours.")
    if not attached:
        refusals = "; ".join(str(answer) for answer in answers)
        raise LinkError(
            f"auto: no board answers at {len(usb)} USB serial ports ({refusals}). Flash it first: "
            "a board without this kit's firmware cannot say what it is. 'boards' lists the names."
        )
    return attached[0]


def _ask(port: str) -> Attached | HostError:
    """Greet what is at a port, shortly; return what it says, or why it says nothing."""
    try:
        with SerialLink(port, DEFAULT_BAUD) as link:
            about = Device(link, Patience(greetings=2)).hello()
    except HostError as error:
        return error
    return Attached(port, about.board, about.model_id)


def new_board(folder: Path, like: str) -> Board:
    """Make a folder of the user's own that begins as a copy of a board; return that board.

    Raises:
        BoardError: there is no board ``like``, or the folder's name is none for a board.
        OutputError: the folder is there already.
    """
    original = load_board(like)
    files = {Path(name).name: content for name, content in own_files(original).items()}
    if not any(name.endswith(".c") for name in files):
        files["board.c"] = plain_board()
    text = _renamed(files[DESCRIPTION].decode("utf-8"), folder, original)
    parse_board(text, str(folder / DESCRIPTION))  # refuses a name that is none
    files[DESCRIPTION] = text.encode("utf-8")
    with locked(folder):
        if folder.exists():
            raise OutputError(
                f"{folder}: is there already, and is not replaced. Choose another name, or remove "
                "it yourself."
            )
        with write_folder_whole(folder) as empty:
            for name, content in files.items():
                write_whole(empty / name, content)
    return load_board(str(folder.resolve()))


def _renamed(text: str, folder: Path, original: Board) -> str:
    """Return a board's description for its copy, without what the shipped network may cost."""
    head, *lines = text.split("\n", 1)
    if not head.startswith("#"):
        lines = [text]
    text = BUDGET.sub("", lines[0]).rstrip() + "\n"
    text = NAME.sub(f'name = "{folder.name}"', text, count=1)
    text = ABOUT.sub(f'description = "{folder.name}, begun as {original.name}"', text, count=1)
    return f"# A board of your own, begun as a copy of {original.name}.\n{text}"
