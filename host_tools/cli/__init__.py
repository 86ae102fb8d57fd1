"""The command line: one module per command, listed here; every error is one line.

A command's module imports what it needs inside its function, so that ``dynadeep --help`` is quick
and works with the base packages alone.
"""

import errno
import inspect
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Annotated, Any

import typer

from dynadeep.codegen.errors import DynadeepError
from dynadeep.codegen.progress import show_on
from dynadeep.codegen.version import __version__
from dynadeep.host_tools.cli import common
from dynadeep.host_tools.cli.archive import archive
from dynadeep.host_tools.cli.bench import bench
from dynadeep.host_tools.cli.board import new
from dynadeep.host_tools.cli.boards import boards
from dynadeep.host_tools.cli.build import build
from dynadeep.host_tools.cli.calibrate import calibrate
from dynadeep.host_tools.cli.collect import collect
from dynadeep.host_tools.cli.decode import decode
from dynadeep.host_tools.cli.demo import demo
from dynadeep.host_tools.cli.evaluate import evaluate
from dynadeep.host_tools.cli.export import export
from dynadeep.host_tools.cli.fleet import fleet
from dynadeep.host_tools.cli.gateway import gateway
from dynadeep.host_tools.cli.generate import generate
from dynadeep.host_tools.cli.hello import hello
from dynadeep.host_tools.cli.import_ import import_
from dynadeep.host_tools.cli.mlperf import mlperf
from dynadeep.host_tools.cli.monitor import monitor
from dynadeep.host_tools.cli.parity import parity
from dynadeep.host_tools.cli.ports import ports
from dynadeep.host_tools.cli.profile import profile
from dynadeep.host_tools.cli.progress import Bars
from dynadeep.host_tools.cli.results import results
from dynadeep.host_tools.cli.stream import stream
from dynadeep.host_tools.cli.train import train
from dynadeep.host_tools.cli.train_task import train_task

Command = Callable[..., None]

ON_A_BOARD = "On a board, emulated or real"

STAGES: dict[str, tuple[Command, ...]] = {
    "Train": (train, train_task, evaluate, calibrate, results),
    "From a network to firmware": (export, import_, generate, build),
    ON_A_BOARD: (
        boards,
        ports,
        hello,
        parity,
        profile,
        bench,
        stream,
        monitor,
        mlperf,
    ),
    "From devices to an archive, and ECG again": (gateway, collect, archive, decode, fleet),
    "All of it": (demo,),
}
"""The commands, as the help groups them."""

COMMANDS: tuple[Command, ...] = tuple(chain.from_iterable(STAGES.values()))

GROUPS: dict[str, tuple[str, tuple[Command, ...]]] = {
    "board": ("Make a board of your own.", (new,)),
}
"""Commands of two words: the first, its help, what the second may be."""

OTHER_FAILURE, USAGE, INTERRUPTED = 1, 2, 130

WHAT_TO_DO = {
    errno.ENOENT: " Is its name right?",
    errno.ENOSPC: " Make room there, or name another place.",
    errno.EROFS: " Name a place that can be written.",
    errno.EACCES: " Change its rights, or name another one.",
    errno.EPERM: " Change its rights, or name another one.",
    errno.EEXIST: " It stands where a folder is wanted: name another one.",
    errno.ENOTDIR: " It is no folder: name another one.",
    errno.EISDIR: " It is a folder: name a file.",
}
"""Behind what the system says of a file."""


def _print_version(*, requested: bool) -> None:
    if requested:
        typer.echo(f"dynadeep {__version__}")
        raise typer.Exit


def _callback(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda value: _print_version(requested=value),
            help="Show the kit's version and exit.",
        ),
    ] = False,
) -> None:
    """Take a trained network to a microcontroller, every bit checked on the board."""


def name_of(command: Command) -> str:
    """Return what a command is called; the function of one that is a word of Python's ends in _."""
    return command.__name__.rstrip("_").replace("_", "-")


def help_of(command: Command) -> str:
    """Return a command's help: its docstring, each paragraph on one line, for any terminal."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def make_app() -> typer.Typer:
    """Return the application with all commands."""
    app = typer.Typer(
        name="dynadeep",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(common.with_common(_callback))
    for stage, commands in STAGES.items():
        _add(app, commands, stage)
    for name, (about, commands) in GROUPS.items():
        group = typer.Typer(help=about, no_args_is_help=True)
        _add(group, commands)
        app.add_typer(group, name=name, rich_help_panel=ON_A_BOARD)
    return app


def _add(app: typer.Typer, commands: Sequence[Command], stage: str | None = None) -> None:
    for command in commands:
        add = app.command(name_of(command), help=help_of(command), rich_help_panel=stage)
        add(common.with_common(command))


def main() -> None:
    """Run the command line and end the process with the exit status of docs/errors.md."""
    # Whoever ends the process, a cancelled CI job say, ends it as Ctrl-C does: what came is kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; a failure is one line on standard error."""
    common.start()
    show_on(Bars())
    try:
        result = make_app()(list(arguments), prog_name="dynadeep", standalone_mode=False)
    except Exception as error:
        if common.display.traceback:
            raise
        return _report(error)
    except KeyboardInterrupt:
        result = INTERRUPTED
    if result == INTERRUPTED:
        print("dynadeep: interrupted", file=sys.stderr)
    return result if isinstance(result, int) else 0


def _report(error: Exception) -> int:
    """Print one line about ``error`` and return its exit status."""
    message, status = _describe(error)
    if not message:  # the help was printed, for want of a command
        return status
    line = " ".join(message.split())
    common.ROOT.error("%s", line, exc_info=error)
    print(f"dynadeep: {line}", file=sys.stderr)
    return status


def _describe(error: Any) -> tuple[str, int]:
    if isinstance(error, DynadeepError):
        return str(error), error.exit_status
    if hasattr(error, "format_message"):  # typer's own usage errors, whatever they derive from
        hint = error.ctx.command_path if getattr(error, "ctx", None) else "dynadeep"
        sentence = _usage(error)
        return (f"{sentence} See: {hint} --help" if sentence else ""), USAGE
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        hint = WHAT_TO_DO.get(error.errno or 0, "")
        return f"{place}{error.strerror or error}.{hint}", OTHER_FAILURE
    kind = type(error).__name__
    return f"{kind}: {error} (a fault of the kit; --traceback shows where)", OTHER_FAILURE


def _usage(error: Any) -> str:
    """Return what is wrong with an option as a sentence, the refused value included."""
    sentence: str = error.format_message().removeprefix("Invalid value: ")
    if hasattr(error.__cause__, "errors"):  # pydantic's own, which leaves the value out
        sentence += f", not {error.__cause__.errors()[0]['input']}"
    return sentence if not sentence or sentence.endswith((".", "?", "!")) else f"{sentence}."
