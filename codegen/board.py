"""Boards as data: what ``firmware_templates/boards/<name>/board.toml`` says, checked and typed."""

from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.typed import Reader

DESCRIPTION = "board.toml"
TEMPLATE = "_template"
DRIVER_PREFIX = "uart_"


@dataclass(frozen=True)
class Core:
    """The processor, as the compiler and the clock tree know it."""

    cpu: str
    flags: tuple[str, ...]  # for gcc
    clock_hz: int


@dataclass(frozen=True)
class Flash:
    """The flash that the firmware may use."""

    origin: int
    bytes: int


@dataclass(frozen=True)
class Ram:
    """The RAM that the firmware may use, its stack included."""

    origin: int
    bytes: int
    stack_bytes: int


@dataclass(frozen=True)
class Uart:
    """The UART that carries the link."""

    base: int
    baud: int
    driver: str | None = None  # app/uart_<driver>.c; none where board.c reads and writes itself


@dataclass(frozen=True)
class Counter:
    """What ``board_ticks`` counts."""

    rate_hz: int
    unit: Literal["cycles", "instructions", "nanoseconds"]


@dataclass(frozen=True)
class Emulator:
    """The program that emulates the board."""

    program: str
    machine: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Flasher:
    """The program that writes the part's flash; ``{bin}`` stands for the image."""

    program: str
    arguments: tuple[str, ...]
    usb: tuple[str, ...]  # vendor:product ids that the probe or part shows


@dataclass(frozen=True)
class Budget:
    """The most that the network which the kit ships may cost on a board."""

    instructions: int  # of a segment, by the counter of the emulated board
    ram_bytes: int  # static, and the stack's peak
    flash_bytes: int


@dataclass(frozen=True)
class Board:
    """A board. A Cortex-M one has flash, RAM and a UART; the native one is a process."""

    name: str
    description: str
    target: Literal["cortex-m", "native"]
    core: Core
    counter: Counter
    flash: Flash | None = None
    ram: Ram | None = None
    uart: Uart | None = None
    emulator: Emulator | None = None
    flasher: Flasher | None = None
    budget: Budget | None = None

    @property
    def cortex_m(self) -> bool:
        """Whether it is built with the Arm toolchain."""
        return self.target == "cortex-m"


def boards_folder() -> Traversable:
    """Return the folder of the boards that come with the kit."""
    return resources.files("dynadeep.firmware_templates") / "boards"


def uart_drivers() -> list[str]:
    """Return the UART drivers that boards may share, sorted."""
    app = resources.files("dynadeep.firmware_templates") / "app"
    sources = (Path(entry.name) for entry in app.iterdir())
    return sorted(
        source.stem.removeprefix(DRIVER_PREFIX)
        for source in sources
        if source.stem.startswith(DRIVER_PREFIX) and source.suffix == ".c"
    )


def board_names() -> list[str]:
    """Return the names of the boards that come with the kit, sorted."""
    return sorted(
        entry.name
        for entry in boards_folder().iterdir()
        if (entry / DESCRIPTION).is_file() and entry.name != TEMPLATE
    )


def load_board(name: str) -> Board:
    """Return the board called ``name``.

    Raises:
        BoardError: there is none, or its description is wrong.
    """
    if name not in board_names():
        raise BoardError(
            f"{name}: no such board. There are {', '.join(board_names())}; "
            "copy firmware_templates/boards/_template to add one."
        )
    text = (boards_folder() / name / DESCRIPTION).read_text(encoding="utf-8")
    board = parse_board(text, f"boards/{name}/{DESCRIPTION}")
    if board.name != name:
        raise BoardError(f'boards/{name}/{DESCRIPTION}: name is "{board.name}", not the folder\'s.')
    return board


def parse_board(text: str, where: str) -> Board:
    """Parse a board description; ``where`` names it in messages.

    Raises:
        BoardError: it is not TOML, or a key is missing, unknown or of the wrong type.
    """
    reader = Reader(where, BoardError, "See boards/_template.")
    board = reader.read(Board, reader.toml(text))
    _check(board, where)
    return board


def _check(board: Board, where: str) -> None:
    """Check what a type cannot say."""
    for part in ("flash", "ram", "uart"):
        if board.cortex_m and getattr(board, part) is None:
            raise BoardError(f"{where}: [{part}] is missing; a cortex-m board needs it.")
    driver = board.uart.driver if board.uart else None
    if driver is not None and driver not in uart_drivers():
        known = ", ".join(uart_drivers())
        raise BoardError(f'{where}: uart.driver is "{driver}", expected one of {known}.')
    for part in ("core", "counter", "flash", "ram", "uart", "budget"):
        table = getattr(board, part)
        for key, value in vars(table).items() if table is not None else ():
            if isinstance(value, int) and not 0 <= value < 1 << 32:
                raise BoardError(f'{where}: key "{part}.{key}" is {value}, expected 0 to 2^32 - 1.')
