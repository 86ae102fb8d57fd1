"""Progress of what takes long, on standard error: a bar on a terminal, else a line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from dynadeep.host_tools.cli.common import LOG, shown

LINE_EVERY_S = 15.0
"""Where there is no terminal: a log of an hour's run stays readable."""


@dataclass(frozen=True)
class Advance:
    """Called after each part; ``say`` takes what is waited for meanwhile."""

    done: Callable[[], None] = lambda: None
    say: Callable[[object], None] = lambda what: None

    def __call__(self) -> None:
        """Take note that a part is done."""
        self.done()


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show that something without parts to count is under way: ``building the firmware``."""
    LOG.info("%s", text)
    if shown.quiet or not _interactive():
        yield
        return
    with shown.console.status(text):
        yield


@contextmanager
def counted(text: str, total: int, done: int = 0) -> Iterator[Advance]:
    """Show how many of ``total`` parts are done; yield what is to be called after each."""
    if shown.quiet:
        yield Advance()
    elif _interactive():
        with _bar() as progress:
            task = progress.add_task(text, total=total, completed=done)
            yield Advance(
                lambda: progress.advance(task),
                lambda what: progress.update(task, description=f"{text}: {what}"),
            )
    else:
        yield _lines(text, total, done=done)


def _interactive() -> bool:
    """Whether a bar can move here."""
    return shown.console.is_terminal and not shown.console.is_dumb_terminal


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=shown.console,
        transient=True,
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
            shown.console.print(line, markup=False, highlight=False)

    def advance() -> None:
        nonlocal done
        done += 1
        tell("")

    return Advance(advance, lambda what: tell(f", {what}"))
