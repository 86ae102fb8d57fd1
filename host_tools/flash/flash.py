"""Choose what writes a board's flash, and have it done."""

from typing import Literal

from dynadeep.codegen.board import Board, Probe
from dynadeep.codegen.errors import BoardError
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.boards import flashers
from dynadeep.host_tools.errors import FlashError
from dynadeep.host_tools.flash import openocd, pyocd
from dynadeep.host_tools.toolchain import Firmware

Tool = Literal["pyocd", "openocd"]


def tool_of(board: Board, choice: str | None, serial: str | None) -> str:
    """Return what is to flash a board; it must be there before the firmware is built.

    Args:
        board: the board.
        choice: the user's choice; None takes the first that is installed.
        serial: the probe's serial number, if the user gave one.

    Raises:
        BoardError: nothing is known that flashes it, or not what the user wants.
    """
    tools = flashers(board)
    if not tools:
        raise BoardError(
            f"{board.name}: no programmer is known for it. Flash firmware.bin by hand."
        )
    if choice not in (None, *tools):
        raise BoardError(
            f"{board.name}: is not flashed with {choice}, its board.toml knows "
            f"{' and '.join(tools)}. Choose one of these, or leave --with out."
        )
    tool = choice or next((name for name in tools if _is_installed(name)), tools[0])
    if serial is not None and tool not in ("pyocd", "openocd"):
        raise BoardError(
            f"{board.name}: is flashed with {tool}, which takes no probe's serial number. "
            "Leave --probe out."
        )
    return tool


def flash(board: Board, firmware: Firmware, tool: str, serial: str | None = None) -> None:
    """Put firmware on an attached board and start it; the wrong chip is refused before.

    Args:
        board: the board.
        firmware: what was built for it.
        tool: of ``tool_of``.
        serial: of the probe; None takes the only one.

    Raises:
        MissingDependencyError: ``tool`` is not installed.
        WrongChipError: another chip is on the probe; nothing was written.
        FlashError: there is no such probe, or writing failed.
    """
    if tool == "pyocd":
        pyocd.flash(_probe_of(board), firmware.elf, serial)
    elif tool == "openocd" and board.probe is not None:
        openocd.flash(board.probe, firmware, serial)
    elif board.flasher is not None:
        toolchain.flash(firmware, board.flasher.program, board.flasher.arguments)


def _probe_of(board: Board) -> Probe:
    if board.probe is None:
        raise FlashError(f"{board.name}: its board.toml has no [probe].")
    return board.probe


def _is_installed(tool: str) -> bool:
    return pyocd.is_installed() if tool == "pyocd" else toolchain.is_installed(tool)
