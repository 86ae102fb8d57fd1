"""How far long work is: the work says it here, and who wants to show it says how.

As with logging, nobody hears it who did not ask. The command line shows bars.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Advance:
    """Called after each part; ``say`` takes what is waited for meanwhile."""

    done: Callable[[], None] = lambda: None
    say: Callable[[object], None] = lambda what: None

    def __call__(self) -> None:
        """Take note that a part is done."""
        self.done()


class Display(Protocol):
    """Shows what is under way until its context ends."""

    def step(self, text: str) -> AbstractContextManager[None]:
        """Show work without parts to count."""
        ...

    def counted(self, text: str, total: int, done: int = 0) -> AbstractContextManager[Advance]:
        """Show work of ``total`` parts, of which some may be done."""
        ...


class _Nowhere:
    def step(self, text: str) -> AbstractContextManager[None]:
        return nullcontext()

    def counted(self, text: str, total: int, done: int = 0) -> AbstractContextManager[Advance]:
        return nullcontext(Advance())


@dataclass
class _Shown:
    """Where this process shows its progress; it has one terminal."""

    display: Display


_shown = _Shown(_Nowhere())


def show_on(display: Display) -> None:
    """Have ``display`` show the progress of all that this process does from now on."""
    _shown.display = display


def step(text: str) -> AbstractContextManager[None]:
    """Show that something without parts to count is under way: ``building the firmware``."""
    return _shown.display.step(text)


def counted(text: str, total: int, done: int = 0) -> AbstractContextManager[Advance]:
    """Show how many of ``total`` parts are done; the context is what is called after each."""
    return _shown.display.counted(text, total, done)


def each(text: str, parts: Sequence[T]) -> Iterator[T]:
    """Yield each part, and show how many are done."""
    with counted(text, len(parts)) as advance:
        for part in parts:
            yield part
            advance()
