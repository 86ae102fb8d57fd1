"""Where a board is, who says what it is, and how it is reached."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from dynadeep.codegen.applications import Wish, answers_to
from dynadeep.codegen.board import Board, load_board
from dynadeep.codegen.errors import BoardError, ProjectError
from dynadeep.codegen.kernels import KernelName
from dynadeep.codegen.plan import Engine
from dynadeep.codegen.planner import PlanSettings
from dynadeep.codegen.project import Project, read_project
from dynadeep.codegen.sources import BOARD_FOLDER
from dynadeep.host_tools.boards import AUTO, find_attached
from dynadeep.host_tools.errors import WrongBoardError, WrongFirmwareError
from dynadeep.host_tools.link.base import DEFAULT_BAUD, Link
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.link.protocol import ENGINES, KERNELS
from dynadeep.host_tools.link.qemu import QemuLink
from dynadeep.host_tools.link.serial import SerialLink

DEFAULT_BOARD = "mps2-an386"
"""The emulated board that runs the firmware where nothing names another."""


def open_link(board: Board, elf: Path) -> Link:
    """Start what runs a board's firmware on this computer.

    Raises:
        BoardError: the board has neither emulator nor native target.
    """
    if board.target == "native":
        return NativeLink(elf)
    if board.emulator is None:
        raise BoardError(f"{board.name}: it has no emulator. Connect it and give its --port.")
    emulator = board.emulator
    return QemuLink(elf, emulator.machine, emulator.arguments, emulator.program)


@dataclass(frozen=True)
class Place:
    """Where a board is, and what its firmware is made of; None where the user did not say."""

    board: str | None = None  # the kit's name of it, a folder of the user's own, or "auto"
    port: str | None = None  # a serial port or pyserial URL; None: run on this computer
    baud: int | None = None  # of the port
    sources: Path | None = None  # a generated project

    def named(self, model_id: str | None = None, application: Wish = "harness") -> "Place":
        """Return the place with the board's name, where its project or nothing else tells it.

        A board at a port tells its own name, so that none is taken for granted here. ``auto`` looks
        for the port of the one that answers.

        Raises:
            BoardError: there is no such board.
            LinkError: ``auto``, and no board or more than one answers.
            ProjectError: ``sources`` is no project, or one for another board or application.
            WrongFirmwareError: ``sources`` has another model than ``model_id``.
        """
        name, port = self.board, self.port
        if name == AUTO:
            name, port = None, port or find_attached().port
        if self.sources is not None:
            project = read_project(self.sources)
            name = project_board(self.sources, project, name, "--board")
            check_application(self.sources, project, application)
            if model_id not in (None, project.model_id):
                raise WrongFirmwareError(
                    f"{self.sources}: the firmware is of model {project.model_id}, the bundle of "
                    f"{model_id}. Name the bundle that it was generated from, or generate it again."
                )
        elif port is None:
            name = name or DEFAULT_BOARD
        if name is not None:
            load_board(name)
        return replace(self, board=name, port=port)


def target_board(name: str | None) -> Board:
    """Return the board to make firmware for: the default one unless named or, by ``auto``, found.

    Raises:
        BoardError: there is no such board, or the one that answers is none of this kit's.
        LinkError: ``auto``, and no board or more than one answers.
    """
    return load_board(find_attached().board if name == AUTO else name or DEFAULT_BOARD)


def project_board(folder: Path, project: Project, board: str | None, option: str) -> str:
    """Return the board that a project was generated for, which ``option`` may have named as well.

    It is the project's own copy of the description, by its folder.

    Raises:
        ProjectError: it is for another board than ``board``, or for none.
    """
    if project.board is None:
        raise ProjectError(
            f"{folder}: holds the model and the runtime alone, no firmware for a board. "
            "Generate the project without --model-only."
        )
    if board is not None and load_board(board).name != project.board:
        raise ProjectError(
            f"{folder}: was generated for {project.board}, {option} names {board}. "
            f"Give {option} {project.board}, or generate the project for {board}."
        )
    return str(folder / BOARD_FOLDER)


def check_application(folder: Path, project: Project, expected: Wish) -> None:
    """Refuse a project whose firmware does not speak what is asked of it.

    Raises:
        ProjectError: it has another application than ``expected``.
    """
    actual = answers_to(project.application)
    if actual != expected:
        raise ProjectError(
            f"{folder}: was generated with --application {actual}, which this command cannot talk "
            f"to. Generate it with --application {expected}, or use the command that is for "
            f"{actual}."
        )


def generated_with(folder: Path) -> PlanSettings:
    """Return the engine and kernels that a project was generated with.

    Raises:
        ProjectError: there is no project, or it has an engine or kernels that this kit has not.
    """
    project = read_project(folder)
    for name, supported in ((project.engine, ENGINES), (project.kernels, KERNELS)):
        if name not in supported:
            raise ProjectError(
                f"{folder}: was generated with {name!r}, this kit has {' and '.join(supported)}. "
                "Generate it again with this kit."
            )
    return PlanSettings(cast(Engine, project.engine), cast(KernelName, project.kernels))


@contextmanager
def open_device(place: Place, elf: Path | None) -> Iterator[Device]:
    """Open the board at ``place``, or run ``elf`` on this computer; it is not greeted yet.

    Raises:
        LinkError: there is no such port, or it cannot be opened.
        BoardError: the board is unknown, or cannot be run on this computer.
    """
    with open_link_at(place, elf) as link:
        yield Device(link)


def open_link_at(place: Place, elf: Path | None) -> Link:
    """Open the wire to the board at ``place``, or to ``elf`` that is run on this computer.

    Raises:
        LinkError: there is no such port, or it cannot be opened.
        BoardError: the board is unknown, or cannot be run on this computer.
    """
    board = None if place.board is None else load_board(place.board)
    if place.port is not None:
        baud = board.uart.baud if board is not None and board.uart is not None else DEFAULT_BAUD
        return SerialLink(place.port, place.baud or baud)
    assert board is not None
    assert elf is not None
    return open_link(board, elf)


def greeted_board(device: Device, expected: Board | None = None) -> Board:
    """Return the description of the board that a device says it is, which may be ``expected``.

    Raises:
        WrongBoardError: this kit does not know it.
    """
    name = device.about.board
    if expected is not None and expected.name == name:
        return expected
    try:
        return load_board(name)
    except BoardError as error:
        raise WrongBoardError(
            f"{device.link.name}: the firmware is of a board that this kit does not know: {error} "
            "Give your own board's folder with --board."
        ) from error
