"""Make frozen dataclasses of parsed TOML and JSON, every key and type checked."""

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeVar

from dynadeep.codegen.errors import CodegenError

T = TypeVar("T")


@dataclass(frozen=True)
class Reader:
    """Reads tables of one file: how its mistakes are named, and what to do about them."""

    where: str  # "boards/native/board.toml"
    error: type[CodegenError]
    advice: str

    def read(self, kind: type[T], data: object, path: str = "") -> T:
        """Make a ``kind`` of a table that has its fields as keys, those with defaults optional.

        Raises:
            CodegenError: ``self.error``, naming the key that is unknown, missing or wrong.
        """
        if not isinstance(data, dict):
            self._refuse(f"{path or 'it'} is {data!r}, expected a table")
        assert dataclasses.is_dataclass(kind)
        fields = {field.name: field for field in dataclasses.fields(kind)}
        hints = typing.get_type_hints(kind)
        dot = f"{path}." if path else ""
        for key in data:
            if key not in fields:
                self._refuse(f'unknown key "{dot}{key}". Known: {", ".join(fields)}')
        values = {}
        for name, field in fields.items():
            if name in data:
                values[name] = self._value(hints[name], data[name], dot + name)
            elif field.default is dataclasses.MISSING:
                self._refuse(f'key "{dot}{name}" is missing')
        return kind(**values)

    def _value(self, hint: Any, value: Any, path: str) -> Any:
        if isinstance(hint, types.UnionType):
            if value is None and types.NoneType in typing.get_args(hint):
                return None
            hint = next(choice for choice in typing.get_args(hint) if choice is not types.NoneType)
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self.read(hint, value, path)
        if typing.get_origin(hint) is tuple and isinstance(value, list):
            item = typing.get_args(hint)[0]
            return tuple(self._value(item, part, f"{path}[{i}]") for i, part in enumerate(value))
        if typing.get_origin(hint) is dict and isinstance(value, dict):
            item = typing.get_args(hint)[1]
            return {key: self._value(item, part, f"{path}.{key}") for key, part in value.items()}
        if not _fits(hint, value):
            self._refuse(f'key "{path}" is {value!r}, expected {_wanted(hint)}')
        return float(value) if hint is float else value

    def _refuse(self, found: str) -> NoReturn:
        raise self.error(f"{self.where}: {found}. {self.advice}")


def _fits(hint: Any, value: object) -> bool:
    """Whether a plain value is of the type of its field."""
    if typing.get_origin(hint) is Literal:
        return value in typing.get_args(hint)
    if hint is float:
        return type(value) in {int, float} and math.isfinite(typing.cast(float, value))
    # In Python a bool is an int; in a file of ours it is a mistake.
    return hint is Any or type(value) is hint


def _wanted(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return " or ".join(f'"{choice}"' for choice in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return "a list"
    names = {int: "an integer", float: "a number", str: "text"}
    return names.get(hint, "a table")
