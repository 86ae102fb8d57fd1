"""What every command takes: how much it says, where it logs, whether errors show their place.

The options stand before the command or behind it, as the user likes: ``dynadeep -v parity`` is
``dynadeep parity -v``.
"""

import logging
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

from dynadeep.codegen.version import __version__
from dynadeep.host_tools.cli.groups import taking

PANEL = "Of every command"
ROOT = logging.getLogger("dynadeep")
LOG = logging.getLogger(__name__)
LINE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


@dataclass
class Display:
    """How the commands of this process speak; one command line is one process."""

    console: Console  # on standard error: progress and log, never results
    traceback: bool = False
    quiet: bool = False
    verbose: int = 0


display = Display(Console(stderr=True))


def start() -> None:
    """Begin afresh, as a new process does: nothing said, nothing logged."""
    display.console = Console(stderr=True)
    display.traceback, display.quiet, display.verbose = False, False, 0
    for handler in list(ROOT.handlers):
        ROOT.removeHandler(handler)
        handler.close()
    _add(logging.NullHandler())


def configure(
    *,
    verbose: Annotated[
        int,
        typer.Option(
            "-v",
            "--verbose",
            count=True,
            show_default=False,
            help="Say what is done; -vv: every request too.",
            rich_help_panel=PANEL,
        ),
    ] = 0,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Show no progress.", rich_help_panel=PANEL)
    ] = False,
    log_file: Annotated[
        Path | None,
        typer.Option(
            "--log-file",
            help="Add everything that is done, with its time, to this file.",
            rich_help_panel=PANEL,
        ),
    ] = None,
    traceback: Annotated[
        bool,
        typer.Option(
            "--traceback",
            help="Show where an error comes from, not only what it is.",
            rich_help_panel=PANEL,
        ),
    ] = False,
) -> None:
    """Take what the user gave of these options, before the command or behind it."""
    display.traceback |= traceback
    display.quiet |= quiet
    display.verbose += verbose
    if verbose:
        _log_to_terminal()
    if log_file is not None:
        _log_to_file(log_file)


with_common = taking(common=configure)
"""Give a command the options of ``configure`` beside its own."""


def _log_to_terminal() -> None:
    """Log above the progress, on standard error."""
    for handler in [added for added in ROOT.handlers if isinstance(added, RichHandler)]:
        ROOT.removeHandler(handler)
    handler = RichHandler(console=display.console, show_path=False, show_level=False, markup=False)
    handler.addFilter(lambda record: record.exc_info is None)  # failures are told as they end
    handler.setLevel(logging.DEBUG if display.verbose > 1 else logging.INFO)
    _add(handler)


def _log_to_file(path: Path) -> None:
    """Log everything to a file, its lines behind those that it has.

    Raises:
        OSError: it cannot be written.
    """
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(LINE))
    _add(handler)
    python = platform.python_version()
    LOG.info("dynadeep %s, Python %s: %s", __version__, python, " ".join(sys.argv[1:]))
    if handler.error is not None:
        raise handler.error


class _LogFile(logging.FileHandler):
    """A log whose end, such as a full disk, is said once; what is logged goes on without it."""

    error: OSError | None = None

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Stop logging."""
        reason = sys.exc_info()[1]
        if not isinstance(reason, OSError):
            super().handleError(record)
            return
        self.error = OSError(reason.errno, reason.strerror, self.baseFilename)
        ROOT.removeHandler(self)
        with suppress(OSError):  # what it still holds cannot be written either
            self.close()
        display.console.print(
            f"{self.baseFilename}: the log ends here: {reason.strerror}.", markup=False
        )


def _add(handler: logging.Handler) -> None:
    ROOT.setLevel(logging.DEBUG)
    ROOT.propagate = False
    ROOT.addHandler(handler)
