"""The C that a project consists of besides its model: runtime, application and board."""

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from dynadeep.codegen.applications import APPLICATIONS, Application
from dynadeep.codegen.board import Board
from dynadeep.codegen.closure import ALWAYS, alternatives_to, needed
from dynadeep.codegen.plan import Plan

COPIED = (".c", ".h", ".S", ".ld", ".cmake", ".toml")
"""What is copied of the runtime, the application and a board."""

PLAIN_BOARD = "board_plain.c"
BOARD_FOLDER = "board"
"""Of a project: what its board brings, and its description."""

Files = dict[str, bytes]
"""A project in memory: path with forward slashes -> content."""


def runtime_files(plan: Plan, files: Files) -> Files:
    """Return what the sources of a project need of the runtime."""
    runtime = named("runtime")
    names = needed([*files.values(), runtime[ALWAYS]], runtime, alternatives_to(plan)) | {ALWAYS}
    return {f"runtime/{name}": runtime[name] for name in names}


def app_sources(board: Board | None, application: Application) -> tuple[str, ...]:
    """Return the C files of the application that a board's firmware is made of."""
    if board is None:
        return ()
    core = ("startup_cortex_m.c", "stack.c", "fault.c") if board.cortex_m else ()
    uart = board.uart.driver if board.uart is not None else None
    wire = (f"uart_{uart}.c", "reset_uart.c") if uart else ()
    counter = (f"counter_{board.counter.driver}.c",) if board.counter.driver else ()
    plain = () if board_sources(board) else (PLAIN_BOARD,)
    driver = board.source.driver if board.source is not None else None
    source = (f"source_{driver}.c",) if driver and APPLICATIONS[application].samples else ()
    return (*APPLICATIONS[application].sources, *source, *core, *wire, *counter, *plain)


def board_sources(board: Board | None) -> tuple[str, ...]:
    """Return the C files that a board brings itself, with the folder that they are in."""
    files = {} if board is None else own_files(board)
    return tuple(sorted(name for name in files if name.endswith(".c")))


def plain_board() -> bytes:
    """Return the C of a board that brings none."""
    return named("app")[PLAIN_BOARD]


def app_files(sources: tuple[str, ...], files: Files) -> Files:
    """Return the application's sources with the headers that they and the board's files need."""
    app = named("app")
    contents = [app[name] for name in sources]
    headers = needed([*contents, *files.values()], app, {name for name in app if name[-2:] == ".c"})
    excluded = {name for name in headers if f"{name[:-2]}.c" in app.keys() - set(sources)}
    return {f"app/{name}": app[name] for name in (headers - excluded) | set(sources)}


def named(folder: str) -> Files:
    """Return the files of a flat folder of firmware_templates by their names."""
    return {path.removeprefix(f"{folder}/"): content for path, content in _tree(folder).items()}


def own_files(board: Board) -> Files:
    """Return the files of a board's folder by their paths in a project: its description and C."""
    return {
        f"{BOARD_FOLDER}/{entry.name}": _content(entry)
        for entry in board.folder.iterdir()
        if entry.is_file() and entry.name.endswith(COPIED)
    }


def _tree(folder: str) -> Files:
    """Return the files under a folder of firmware_templates by their paths there."""
    return dict(_walk(resources.files("dynadeep.firmware_templates") / folder, folder))


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{path}/{entry.name}")
        elif entry.name.endswith(COPIED):
            yield f"{path}/{entry.name}", _content(entry)


def _content(entry: Traversable) -> bytes:
    return entry.read_bytes().replace(b"\r\n", b"\n")
