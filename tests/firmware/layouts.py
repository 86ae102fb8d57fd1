"""C data as the compiler lays it out: what it says of its structs is in the program's DWARF.

A plan and its layers go to the harness as data, whatever structs they are made of: a new kernel
changes nothing here.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

POINTER_BYTES = 8
SIGNED = (0x05, 0x06, 0x0D)  # DW_ATE_signed, signed_char, signed_fixed


@dataclass(frozen=True)
class Reference:
    """A pointer to an object of the image."""

    number: int


@dataclass(frozen=True)
class Symbol:
    """A pointer to a function of the harness program."""

    name: str


Value = int | Reference | Symbol | None | Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True)
class Type:
    """A C type: a number, a pointer, a struct or an array of these."""

    bytes: int
    signed: bool = False
    pointer: bool = False
    members: Mapping[str, tuple[int, "Type"]] | None = None  # offset and type
    element: "Type | None" = None


@dataclass(frozen=True)
class Structs:
    """An array of structs, by the members' names."""

    name: str  # of the type
    values: Sequence[Mapping[str, Value]]


@dataclass
class Image:
    """Objects that point at each other: arrays of numbers, as bytes, and of structs."""

    types: Mapping[str, Type]
    objects: list[bytes | Structs] = field(default_factory=list)

    def array(self, content: bytes) -> Reference:
        """Add an array of numbers."""
        return self._add(content)

    def struct(self, name: str, values: Mapping[str, Value]) -> Reference:
        """Add one struct; members that are not given are 0, as in C."""
        return self._add(Structs(name, [values]))

    def structs(self, name: str, values: Sequence[Mapping[str, Value]]) -> Reference:
        """Add an array of structs."""
        return self._add(Structs(name, values))

    def _add(self, item: bytes | Structs) -> Reference:
        self.objects.append(item)
        return Reference(len(self.objects) - 1)

    def packed(self, root: Reference) -> bytes:
        """Return the bytes that take_image of harness/image.c reads, for which ``root`` is all."""
        pointers: list[bytes] = []
        parts = [struct.pack("<I", len(self.objects))]
        for number, item in enumerate(self.objects):
            content = (
                item if isinstance(item, bytes) else _laid_out(item, number, self.types, pointers)
            )
            parts += [struct.pack("<I", len(content)), content]
        parts += [struct.pack("<I", len(pointers)), *pointers, struct.pack("<I", root.number)]
        return b"".join(parts)


def _laid_out(
    structs: Structs, number: int, types: Mapping[str, Type], pointers: list[bytes]
) -> bytes:
    """Return an array of structs as it lies in memory, and add its pointers."""
    kind = types[structs.name]
    content = bytearray(kind.bytes * len(structs.values))

    def store(at: int, kind: Type, value: Value) -> None:
        if isinstance(value, Mapping):
            assert kind.members is not None
            for name, member_value in value.items():
                offset, member = kind.members[name]
                store(at + offset, member, member_value)
        elif isinstance(value, Reference | Symbol):
            assert kind.pointer, value
            pointers.append(_pointer(number, at, value))
        elif isinstance(value, int):
            content[at : at + kind.bytes] = value.to_bytes(kind.bytes, "little", signed=kind.signed)
        elif value is not None and kind.members is not None:
            store(at, kind, dict(zip(kind.members, value, strict=True)))
        elif value is not None:
            assert kind.element is not None
            for index, item in enumerate(value):
                store(at + index * kind.element.bytes, kind.element, item)

    for index, members in enumerate(structs.values):
        store(index * kind.bytes, kind, members)
    return bytes(content)


def _pointer(number: int, at: int, target: Reference | Symbol) -> bytes:
    if isinstance(target, Reference):
        return struct.pack("<IIIB", number, at, target.number, 0)
    name = target.name.encode() + b"\0"
    return struct.pack("<IIIB", number, at, 0, len(name)) + name


@cache
def types_of(program: Path) -> Mapping[str, Type]:
    """Return every typedef of a program that was compiled with -g, by its name."""
    types: dict[str, Type] = {}
    with program.open("rb") as file:
        for unit in ELFFile(file).get_dwarf_info().iter_CUs():
            for entry in unit.get_top_DIE().iter_children():
                if entry.tag == "DW_TAG_typedef" and "DW_AT_type" in entry.attributes:
                    name = entry.attributes["DW_AT_name"].value.decode()
                    if name not in types:
                        types[name] = _type(entry)
    return types


def _type(entry: Any) -> Type:
    size = entry.attributes.get("DW_AT_byte_size")
    match entry.tag:
        case "DW_TAG_typedef" | "DW_TAG_const_type" | "DW_TAG_volatile_type":
            named = "DW_AT_type" in entry.attributes
            return _type(entry.get_DIE_from_attribute("DW_AT_type")) if named else Type(0)
        case "DW_TAG_pointer_type":
            return Type(POINTER_BYTES, pointer=True)
        case "DW_TAG_structure_type":
            return Type(size.value, members=dict(_members(entry)))
        case "DW_TAG_array_type":
            return _array(entry)
        case "DW_TAG_base_type" | "DW_TAG_enumeration_type":
            encoding = entry.attributes.get("DW_AT_encoding")
            return Type(size.value, signed=encoding is not None and encoding.value in SIGNED)
        case _:
            return Type(0)  # a function


def _members(entry: Any) -> Any:
    for child in entry.iter_children():
        if child.tag == "DW_TAG_member":
            name = child.attributes["DW_AT_name"].value.decode()
            offset = child.attributes["DW_AT_data_member_location"].value
            yield name, (offset, _type(child.get_DIE_from_attribute("DW_AT_type")))


def _array(entry: Any) -> Type:
    element = _type(entry.get_DIE_from_attribute("DW_AT_type"))
    count = 1
    for child in entry.iter_children():
        if "DW_AT_upper_bound" in child.attributes:
            count *= child.attributes["DW_AT_upper_bound"].value + 1
    return Type(element.bytes * count, element=element)
