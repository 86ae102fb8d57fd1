"""Progress of what takes long, on standard error: a bar on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from dynadeep.codegen.progress import Advance
from dynadeep.host_tools.cli.common import LOG, display

LINE_EVERY_S = 15.0
"""Where there is no terminal: a log of an hour's run stays readable."""


class Bars:
    """All that is under way, a line each; what begins within something else stands below it."""

    def __init__(self) -> None:
        self._bars: Progress | None = None

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that something without parts to count is under way."""
        LOG.info("%s", text)
        with self._line(text, None, 0):
            yield

    @contextmanager
    def counted(self, text: str, total: int, done: int = 0) -> Iterator[Advance]:
        """Show how many of ``total`` parts are done; yield what is to be called after each."""
        if not display.quiet and not _interactive():
            yield _lines(text, total, done=done)
            return
        with self._line(text, total, done) as advance:
            yield advance

    @contextmanager
    def _line(self, text: str, total: int | None, done: int) -> Iterator[Advance]:
        if display.quiet or not _interactive():
            yield Advance()
            return
        with self._drawn() as bars:
            line = bars.add_task(text, total=total, completed=done)
            try:
                yield Advance(
                    lambda: bars.advance(line),
                    lambda what: bars.update(line, description=f"{text}: {what}"),
                )
            finally:
                bars.refresh()
                bars.remove_task(line)

    @contextmanager
    def _drawn(self) -> Iterator[Progress]:
        """Yield the bars of this terminal: those that are there, or new ones."""
        if self._bars is not None:
            yield self._bars
            return
        with _bars() as bars:
            self._bars = bars
            try:
                yield bars
            finally:
                self._bars = None


class _Count(ProgressColumn):
    """How many of how many; nothing where there are no parts."""

    def render(self, task: Task) -> Text:
        count = "" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}"
        return Text(count, style="progress.download")


class _Left(TimeRemainingColumn):
    """How much time is left; nothing where nobody knows, lest the time gone be read as that."""

    def render(self, task: Task) -> Text:
        if task.total is None or task.time_remaining is None:
            return Text("")
        return super().render(task).append(" left")


def _interactive() -> bool:
    """Whether a bar can move here."""
    return display.console.is_terminal and not display.console.is_dumb_terminal


def _bars() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        _Count(),
        TimeElapsedColumn(),
        _Left(),
        console=display.console,
        transient=True,
        # Results that go to a file go there, bar or no bar.
        redirect_stdout=sys.stdout.isatty(),
    )


def _lines(
    text: str, total: int, clock: Callable[[], float] = time.monotonic, done: int = 0
) -> Advance:
    """Return what says in a plain line how far it is, no more often than ``LINE_EVERY_S``."""
    last = clock()

    def tell(what: str) -> None:
        nonlocal last
        if clock() - last >= LINE_EVERY_S:
            last = clock()
            line = f"{text}: {done} of {total}{what}"
            display.console.print(line, markup=False, highlight=False)

    def advance() -> None:
        nonlocal done
        done += 1
        tell("")

    return Advance(advance, lambda what: tell(f", {what}"))
