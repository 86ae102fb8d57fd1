"""Refuse options that make no sense together: ignored ones, and two that name one thing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import typer

from dynadeep.host_tools.cli.options import STDOUT


def refuse_with(option: str, others: Mapping[str, object], why: str) -> None:
    """Refuse options that would be ignored beside ``option``.

    Args:
        option: what was given.
        others: the options that have no meaning with it, and their values.
        why: the reason, a clause without a full stop.

    Raises:
        typer.BadParameter: one of ``others`` was given.
    """
    ignored = _given(others)
    if ignored:
        raise typer.BadParameter(
            f"{option} leaves no use for {' and '.join(ignored)}: {why}. Leave one of them out."
        )


def refuse_without(option: str, others: Mapping[str, object], why: str) -> None:
    """Refuse options that would be ignored because ``option`` was not given; see ``refuse_with``.

    Raises:
        typer.BadParameter: one of ``others`` was given.
    """
    ignored = _given(others)
    if ignored:
        raise typer.BadParameter(f"{' and '.join(ignored)} needs {option} too: {why}.")


def refuse_same(files: Mapping[str, Path | None]) -> None:
    """Refuse options that name one file for two things, of which one would be lost.

    Raises:
        typer.BadParameter: it names the options.
    """
    option_of: dict[Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        place = path if path == STDOUT else path.resolve()
        if place in option_of:
            raise typer.BadParameter(
                f"{option_of[place]} and {option} both name {path}: one would write over the other."
            )
        option_of[place] = option


def refuse_twice(option: str, values: Iterable[str]) -> None:
    """Refuse an option that names one thing twice.

    Raises:
        typer.BadParameter: it does.
    """
    twice = sorted(name for name, count in Counter(values).items() if count > 1)
    if twice:
        raise typer.BadParameter(f"{option} {twice[0]} is given twice: name each one once.")


def _given(options: Mapping[str, object]) -> list[str]:
    """Return the names of the options that the user gave."""
    return [
        name
        for name, value in options.items()
        if value is not None and value is not False and value != []
    ]
