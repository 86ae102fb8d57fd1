"""Read what comes from outside: bounded in size and depth, every key and type checked.

The one place where bytes of a file become typed data. Whatever is wrong is one line of the error
that the file's kind has: which key, what it is, what was expected, what to do.
"""

import dataclasses
import json
import math
import re
import stat
import tomllib
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

import msgspec

from dynadeep.codegen.errors import DynadeepError, line_of

T = TypeVar("T")

LARGEST_BYTES = 16 << 20
"""Of a file of text; those of arrays and weights have limits of their own."""

DEEPEST = 32
"""Tables and lists within each other."""

SHOWN = 60
"""Characters of a wrong value in a message."""


@dataclass(frozen=True)
class Reader:
    """Reads one file: how its mistakes are named, of which error, and what to do about them."""

    where: str  # "boards/native/board.toml"
    error: type[DynadeepError]
    advice: str

    def content(self, path: Path, largest: int = LARGEST_BYTES) -> bytes:
        """Return the bytes of a regular file that is not larger than it may be.

        Raises:
            DynadeepError: ``self.error``; it is missing, a pipe or a folder, or too large.
        """
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                self.refuse("no regular file")
            if status.st_size > largest:
                self.refuse(f"{status.st_size:,} bytes, at most {largest:,} are read")
            with path.open("rb") as file:
                return file.read(status.st_size)  # no buffer of what it may be at most
        except FileNotFoundError:
            self.refuse("no such file")
        except OSError as error:
            self.refuse(f"cannot be read ({error.strerror})")

    def json(self, content: bytes | str) -> Any:
        """Return plain data of JSON, its numbers finite and its depth bounded."""
        try:
            data = json.loads(content)
        except (ValueError, RecursionError) as error:
            self.refuse(f"not JSON ({line_of(error)})")
        self._check_bounds(data, "", 0)
        return data

    def toml(self, content: bytes | str) -> Any:
        """Return plain data of TOML, as ``json``."""
        try:
            data = tomllib.loads(content if isinstance(content, str) else content.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            self.refuse(f"not TOML ({line_of(error)})")
        self._check_bounds(data, "", 0)
        return data

    def read(self, kind: type[T], data: object) -> T:
        """Make a ``kind`` of plain data that has its fields as keys, those with defaults optional.

        Raises:
            DynadeepError: ``self.error``, naming the key that is unknown, missing or wrong.
        """
        for path, key, allowed in _unknown_keys(kind, data, ""):
            self.refuse(f'unknown key "{_join(path, key)}". Known: {", ".join(allowed)}')
        try:
            return msgspec.convert(data, kind)
        except msgspec.ValidationError as error:
            self._refuse_value(kind, data, str(error))

    def refuse(self, problem: str) -> NoReturn:
        """Raise ``self.error`` with a line that says what was found, and what to do."""
        raise self.error(f"{self.where}: {problem}. {self.advice}")

    def _refuse_value(self, hint: Any, data: Any, problem: str) -> NoReturn:
        """Say which value msgspec refuses; it says ``Expected `int` - at `$.levels[1].codes```."""
        missing = re.search(r"missing required field `(\w+)`", problem)
        place = re.search(r" - at `(?:key in )?\$(.*)`$", problem)
        path = ""
        for name, index, _ in re.findall(
            r"\.(\w+)|\[(\d+)\]|(\[\.\.\.\])", place[1] if place else ""
        ):
            path, hint, data = _step(path, hint, data, name or (int(index) if index else None))
        if missing:
            self.refuse(f'key "{_join(path, missing[1])}" is missing')
        what = f'key "{path}"' if path else "it"
        self.refuse(f"{what} is {shown(data)}, expected {_expected(hint)}")

    def _check_bounds(self, data: Any, path: str, depth: int) -> None:
        if depth > DEEPEST:
            self.refuse(f"more than {DEEPEST} tables and lists within each other")
        for key, value in _children(data):
            self._check_bounds(
                value, key if not path else f"{path}{'' if key[0] == '[' else '.'}{key}", depth + 1
            )
        if isinstance(data, int) and data.bit_length() > 63:
            self.refuse(
                f'key "{path}" is an integer of {data.bit_length()} bits, at most 63 are read'
            )
        if isinstance(data, float) and not math.isfinite(data):
            self.refuse(f'key "{path}" is {data}, expected a number')


def shown(value: object) -> str:
    """Return a value as a message shows it: at most one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _children(data: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        yield from ((key or "(empty)", value) for key, value in data.items())
    elif isinstance(data, list):
        yield from ((f"[{index}]", value) for index, value in enumerate(data))


def _unknown_keys(hint: Any, data: Any, path: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the path, name and known names of each key that no field stands for."""
    hint = _plain(hint)
    if isinstance(data, dict) and dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        for key, value in data.items():
            if key not in hints:
                yield path, key, list(hints)
            else:
                yield from _unknown_keys(hints[key], value, _join(path, key))
    elif isinstance(data, list) and typing.get_origin(hint) is tuple:
        for index, value in enumerate(data):
            yield from _unknown_keys(typing.get_args(hint)[0], value, f"{path}[{index}]")
    elif isinstance(data, dict) and typing.get_origin(hint) is dict:
        for key, value in data.items():
            yield from _unknown_keys(typing.get_args(hint)[1], value, _join(path, key))


def _step(path: str, hint: Any, data: Any, key: str | int | None) -> tuple[str, Any, Any]:
    """Go to one key or item; None is the first value of a table that is not of its type."""
    hint = _plain(hint)
    if isinstance(key, str):
        return _join(path, key), typing.get_type_hints(hint, include_extras=True)[key], data[key]
    if key is not None:
        return f"{path}[{key}]", typing.get_args(hint)[0], data[key]
    item = typing.get_args(hint)[1]
    wrong = next((name for name, value in data.items() if not _fits(item, value)), "")
    return _join(path, wrong), item, data.get(wrong)


def _fits(hint: Any, value: Any) -> bool:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError:
        return False
    return True


def _plain(hint: Any) -> Any:
    """Return a type without its limits and without None as an alternative."""
    if typing.get_origin(hint) is typing.Annotated:
        return _plain(typing.get_args(hint)[0])
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        return _plain(next(c for c in typing.get_args(hint) if c is not types.NoneType))
    return hint


def _expected(hint: Any) -> str:
    """Say what a type accepts."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        hint = next(c for c in typing.get_args(hint) if c is not types.NoneType)
    limits = [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, msgspec.Meta)]
    described = next((limit.description for limit in limits if limit.description), None)
    if described is not None:
        return described
    hint = _plain(hint)
    if typing.get_origin(hint) is Literal:
        return " or ".join(f'"{choice}"' for choice in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return "a list"
    names = {int: "an integer", float: "a number", str: "text", bool: "true or false"}
    ends = [(word, end) for m in limits for word, end in (("from", m.ge), ("to", m.le))]
    ranges = [f" {word} {end}" for word, end in ends if end is not None]
    return names.get(hint, "a table") + "".join(ranges)
