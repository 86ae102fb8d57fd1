"""What a Python target is, and what is asked of every reader."""

import dataclasses
import inspect
import math
import tempfile
import types
import typing
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dynadeep.codegen.errors import DynadeepError

MESSAGE_MAX = 20_000
"""Characters of an error message: every operator that a network cannot run is in it."""


@dataclass(frozen=True)
class Target:
    """A reader of outside data: ``read`` returns, or raises a DynadeepError, and nothing else.

    ``suffix`` is that of its seeds, which says how they are mutated. ``modules`` are the modules of
    the kit whose branches the fuzzer watches.
    """

    name: str
    read: Callable[[bytes], object]
    modules: tuple[str, ...]
    suffix: str = ".bin"

    def accepts(self, data: bytes) -> bool:
        """Read ``data``; return whether the reader took it.

        Raises:
            AssertionError: it was refused with a message that is no clear line.
            Exception: whatever else the reader raises, which is a finding.
        """
        with warnings.catch_warnings(action="ignore"):
            try:
                self.read(data)
            except DynadeepError as error:
                check_message(str(error))
                return False
        return True


def check_message(message: str) -> None:
    """Check that an error message is one line that a person can read."""
    assert message, "an error without a message"
    assert len(message) <= MESSAGE_MAX, f"a message of {len(message)} characters: {message[:200]}"


def check_types(value: Any, hint: Any, where: str = "") -> None:
    """Check that a dataclass made from a file holds what its annotations say, numbers finite.

    Raises:
        AssertionError: it names the field.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        for name, part in typing.get_type_hints(hint).items():
            check_types(getattr(value, name), part, f"{where}.{name}")
    elif origin in (types.UnionType, typing.Union):
        if value is not None:
            (hint,) = (argument for argument in arguments if argument is not types.NoneType)
            check_types(value, hint, where)
    elif origin is typing.Literal:
        assert value in arguments, f"{where} is {value!r}, of {arguments}"
    elif origin in (tuple, dict):
        assert isinstance(value, origin), f"{where} is {value!r}, not a {origin.__name__}"
        items = value.values() if isinstance(value, dict) else value
        inner = arguments[-1] if origin is dict else arguments[0]
        for item in items:
            check_types(item, inner, f"{where}[]")
    elif hint is float:
        assert type(value) in (int, float), f"{where} is {value!r}, not a number"
        assert math.isfinite(value), f"{where} is {value!r}"
    elif inspect.isabstract(hint):
        assert isinstance(value, hint), f"{where} is {value!r}, not a {hint.__name__}"
    elif hint is not Any:
        assert type(value) is hint, f"{where} is {value!r}, not {hint}"


@cache
def scratch() -> Path:
    """Return this process's own folder for files that readers open by their names."""
    folder = tempfile.TemporaryDirectory(prefix="dynadeep-fuzz-")
    _kept.append(folder)
    return Path(folder.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def write_members(folder: Path, members: dict[str, bytes]) -> None:
    """Write files into ``folder`` and nothing outside it; what was in it goes."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in members.items():
        if name not in ("", ".", "..") and "/" not in name and "\0" not in name:
            (folder / name[:100]).write_bytes(content)
