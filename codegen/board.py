"""Boards as data: what ``firmware_templates/boards/<name>/board.toml`` says, checked and typed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from dynadeep.codegen.alignment import STACK_ALIGNMENT
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.kernels import CORES, kind_of
from dynadeep.codegen.typed import Reader

DESCRIPTION = "board.toml"
TEMPLATE = "_template"

HOST = "host"
CORTEX_M = (*CORES, "cortex-m3")
ADDRESSES = 1 << 32
GUARD_BYTES = 4096
"""RAM begins at a multiple of it, so that a stack that overflows meets a fault; see linker.ld."""

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="a-z, 0-9, _ and -")]
Words = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9 ,.:;()/+&'-]{1,100}$", description="one line of plain words")
]
Program = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$", description="a program's name")
]
Argument = Annotated[
    str, Meta(pattern=r"^[\x20-\x7e]{1,200}$", description="an argument on one line")
]
Flag = Annotated[
    str,
    Meta(pattern=r"^-m[a-z][a-z0-9-]*(=[A-Za-z0-9.+-]+)?$", description="a -m option of gcc"),
]
"""Nothing that CMake or a shell takes apart, no generator expression, no file to be read."""

Script = Annotated[
    str,
    Meta(pattern=r"^[a-z]+/[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.cfg$", description="folder/name.cfg"),
]
UsbId = Annotated[
    str, Meta(pattern="^[0-9a-f]{4}:[0-9a-f]{4}$", description="vvvv:pppp in lower case")
]
Word = Annotated[int, Meta(ge=0, le=ADDRESSES - 1)]
Clock = Annotated[int, Meta(ge=10_000, le=4_000_000_000)]
Size = Annotated[int, Meta(ge=1, le=ADDRESSES)]


@dataclass(frozen=True)
class Core:
    """The processor, as the compiler and the clock tree know it."""

    cpu: Name
    flags: tuple[Flag, ...]  # for gcc
    clock_hz: Clock


@dataclass(frozen=True)
class Flash:
    """The flash that the firmware may use; the last three are what a cycle estimate needs of it."""

    origin: Word
    bytes: Size
    wait_states: Annotated[int, Meta(ge=0, le=100)] = 0  # at the board's clock
    fetch_bytes: Annotated[int, Meta(ge=2, le=256)] = 16  # that one access brings
    cache_hit_rate: Annotated[float, Meta(ge=0, le=1)] = 0.0  # of what stands in between, if any


@dataclass(frozen=True)
class Ram:
    """The RAM that the firmware may use, its stack included."""

    origin: Word
    bytes: Size
    stack_bytes: Annotated[int, Meta(ge=256, le=ADDRESSES)]


@dataclass(frozen=True)
class Uart:
    """The UART that carries the link."""

    base: Word
    baud: Annotated[int, Meta(ge=300, le=20_000_000)]
    driver: str | None = None  # app/uart_<driver>.c; none where the board's C reads and writes


@dataclass(frozen=True)
class Counter:
    """What ``board_ticks`` counts."""

    rate_hz: Annotated[int, Meta(ge=1_000, le=4_000_000_000)]
    unit: Literal["cycles", "instructions", "nanoseconds"]
    driver: str | None = None  # app/counter_<driver>.c; none where the board's C counts


@dataclass(frozen=True)
class Source:
    """Where the samples of firmware that sends by itself come from."""

    driver: str | None = None  # app/source_<driver>.c; none where the board's C samples


@dataclass(frozen=True)
class Emulator:
    """The program that emulates the board."""

    program: Program
    machine: Program
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Flasher:
    """A program of its own that writes the part's flash; ``{bin}`` stands for the image."""

    program: Program
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Identity:
    """A register that tells the part from others: read before anything is written to it."""

    address: Word
    value: Word  # of the bits in ``mask``
    mask: Word = ADDRESSES - 1


@dataclass(frozen=True)
class Probe:
    """How a debug probe writes the part's flash, through OpenOCD or pyOCD."""

    openocd: tuple[Script, ...]  # its configuration files: of the probe, then of the part
    identity: Identity
    pyocd: Name | None = None  # pyOCD's name of the part; none where pyOCD has none
    transport: Literal["swd", "jtag"] | None = None  # for OpenOCD, where the probe's own is another


@dataclass(frozen=True)
class Budget:
    """The most that the network which the kit ships may cost on a board."""

    instructions: int  # of a segment, by the counter of the emulated board
    ram_bytes: int  # static, and the stack's peak
    flash_bytes: int


@dataclass(frozen=True)
class Description:
    """What a ``board.toml`` says."""

    name: Name
    description: Words
    target: Literal["cortex-m", "native"]
    core: Core
    counter: Counter
    flash: Flash | None = None
    ram: Ram | None = None
    uart: Uart | None = None
    source: Source | None = None  # none: the board has no samples of its own
    usb: tuple[UsbId, ...] = ()  # vendor:product that its serial port, its probe or the part shows
    emulator: Emulator | None = None
    probe: Probe | None = None
    flasher: Flasher | None = None
    budget: Budget | None = None

    @property
    def cortex_m(self) -> bool:
        """Whether it is built with the Arm toolchain."""
        return self.target == "cortex-m"


@dataclass(frozen=True)
class Board(Description):
    """A board. A Cortex-M one has flash, RAM and a UART; the native one is a process."""

    folder: Traversable = Path()  # that holds its C


def boards_folder() -> Traversable:
    """Return the folder of the boards that come with the kit."""
    return resources.files("dynadeep.firmware_templates") / "boards"


def drivers(kind: Literal["uart", "counter", "source"]) -> list[str]:
    """Return the drivers that boards may share, sorted: ``app/<kind>_<driver>.c``."""
    app = resources.files("dynadeep.firmware_templates") / "app"
    sources = (Path(entry.name) for entry in app.iterdir())
    return sorted(
        source.stem.removeprefix(f"{kind}_")
        for source in sources
        if source.stem.startswith(f"{kind}_") and source.suffix == ".c"
    )


def board_names() -> list[str]:
    """Return the names of the boards that come with the kit, sorted."""
    return sorted(
        entry.name
        for entry in boards_folder().iterdir()
        if (entry / DESCRIPTION).is_file() and entry.name != TEMPLATE
    )


def load_board(name: str) -> Board:
    """Return the kit's board called ``name``, or the one of a folder of the user's own.

    Raises:
        BoardError: there is none, or its description is wrong.
    """
    if name in board_names():
        return _load_kits(name)
    folder = Path(name)
    if not (folder / DESCRIPTION).is_file():
        raise BoardError(
            f"{name}: no such board, and no folder with a {DESCRIPTION}. There are "
            f"{', '.join(board_names())}; 'dynadeep board new' makes a folder of your own."
        )
    where = str(folder / DESCRIPTION)
    reader = Reader(where, BoardError, _advice())
    return replace(parse_board(reader.content(folder / DESCRIPTION), where), folder=folder)


def _load_kits(name: str) -> Board:
    """Return a board that comes with the kit."""
    folder, where = boards_folder() / name, f"boards/{name}/{DESCRIPTION}"
    board = parse_board((folder / DESCRIPTION).read_bytes(), where)
    if board.name != name:
        raise BoardError(f'{where}: name is "{board.name}", not the folder\'s.')
    return replace(board, folder=folder)


def parse_board(content: str | bytes, where: str) -> Board:
    """Parse a board description; ``where`` names it in messages.

    Raises:
        BoardError: it is not TOML, or a key is missing, unknown or of the wrong type.
    """
    reader = Reader(where, BoardError, _advice())
    description = reader.read(Description, reader.toml(content))
    _check(description, where)
    return Board(**vars(description))


def _advice() -> str:
    return f"Each key is explained in {boards_folder() / TEMPLATE / DESCRIPTION}."


def _check(board: Description, where: str) -> None:
    """Check what a type cannot say."""
    for part in ("flash", "ram", "uart"):
        if board.cortex_m and getattr(board, part) is None:
            raise BoardError(f"{where}: [{part}] is missing; a cortex-m board needs it.")
    for problem in (*_core_problems(board), *_driver_problems(board), *_memory_problems(board)):
        raise BoardError(f"{where}: {problem}. {_advice()}")


def _driver_problems(board: Description) -> Iterator[str]:
    """Say which driver there is not, or not for this core."""
    source = None if board.source is None else board.source.driver
    if source is not None and source not in drivers("source"):
        yield f'source.driver is "{source}", expected one of {", ".join(drivers("source"))}'
    uart = None if board.uart is None else board.uart.driver
    if uart is not None and uart not in drivers("uart"):
        yield f'uart.driver is "{uart}", expected one of {", ".join(drivers("uart"))}'
    counter = board.counter.driver
    if counter is not None and counter not in drivers("counter"):
        yield f'counter.driver is "{counter}", expected one of {", ".join(drivers("counter"))}'
    if counter == "dwt" and kind_of(board.core.cpu) == "small":
        yield f'counter.driver is "dwt", and a {board.core.cpu} has no counter of cycles: "systick"'


def _core_problems(board: Description) -> Iterator[str]:
    """Say what is wrong with the processor."""
    cpus = (*CORTEX_M, HOST)
    if board.core.cpu not in cpus or board.cortex_m == (board.core.cpu == HOST):
        yield f'core.cpu is "{board.core.cpu}", expected one of {", ".join(cpus)} for its target'
    selected = [flag.partition("=")[2] for flag in board.core.flags if flag.startswith("-mcpu=")]
    if board.cortex_m and [cpu.partition("+")[0] for cpu in selected] != [board.core.cpu]:
        yield f"core.flags select {selected}, expected one -mcpu={board.core.cpu}"


def _memory_problems(board: Description) -> Iterator[str]:
    """Say what is wrong with the memories."""
    flash, ram = board.flash, board.ram
    for name, part in (("flash", flash), ("ram", ram)):
        if part is not None and part.origin + part.bytes > ADDRESSES:
            yield f"{name} ends at {part.origin + part.bytes:#x}, beyond 32 bits"
    if ram is None:
        return
    if (
        flash is not None
        and flash.origin < ram.origin + ram.bytes
        and (ram.origin < flash.origin + flash.bytes)
    ):
        yield f"flash at {flash.origin:#x} and ram at {ram.origin:#x} overlap"
    if ram.origin % GUARD_BYTES:
        yield f"ram.origin is {ram.origin:#x}, expected a multiple of {GUARD_BYTES}"
    if ram.stack_bytes % STACK_ALIGNMENT:
        yield f"ram.stack_bytes is {ram.stack_bytes}, expected a multiple of {STACK_ALIGNMENT}"
    if ram.stack_bytes > ram.bytes:
        yield f"ram.stack_bytes is {ram.stack_bytes:,}, more than all {ram.bytes:,} of the RAM"
