"""Memory: flash and static RAM from the ELF file, the stack's high-water mark from the board."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from dynadeep.codegen.naming import identifier
from dynadeep.codegen.plan import LayerRow
from dynadeep.host_tools.errors import BuildError
from dynadeep.host_tools.link.protocol import StackUse

STACK_SECTIONS = (".stack", "._user_heap_stack")
"""Sections that only reserve the stack: counted as reserved, never as static RAM."""


LARGEST_SYMBOLS = 40
"""Of what is not the model's, so many are named."""


@dataclass(frozen=True)
class Section:
    """One section that takes room on the board."""

    name: str
    bytes: int
    in_flash: bool  # takes room in the image
    in_ram: bool


@dataclass(frozen=True)
class Symbol:
    """One object or function."""

    name: str
    section: str
    bytes: int


@dataclass(frozen=True)
class Image:
    """What an ELF file needs of a board."""

    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]  # largest first
    compiler: str  # as it signed the file, "" if it did not

    @property
    def flash_bytes(self) -> int:
        """All that is programmed: code, constants and the initial values of variables."""
        return sum(section.bytes for section in self.sections if section.in_flash)

    @property
    def static_ram_bytes(self) -> int:
        """All variables; the room that is merely reserved for the stack is left out."""
        return sum(
            section.bytes
            for section in self.sections
            if section.in_ram and section.name not in STACK_SECTIONS
        )


@dataclass(frozen=True)
class Memory:
    """What the firmware takes, in bytes. ``ram_bytes`` = static + the stack's measured peak."""

    flash_bytes: int
    static_ram_bytes: int
    stack_peak_bytes: int
    stack_reserved_bytes: int
    compiler: str
    sections: tuple[Section, ...]
    flash_by_layer: dict[str, int]  # constants of each layer
    arena_by_layer: dict[str, int]  # for the layer's input and output
    flash_by_symbol: dict[str, int]  # the largest functions and arrays that are not the model's
    ram_by_symbol: dict[str, int]  # the largest variables

    @property
    def ram_bytes(self) -> int:
        """Static RAM and the stack's high-water mark."""
        return self.static_ram_bytes + self.stack_peak_bytes


def read_image(elf: Path) -> Image:
    """Read an ELF file's sections and symbols.

    Raises:
        BuildError: there is no such file, or it is no ELF file.
    """
    if not elf.is_file():
        raise BuildError(f"{elf}: no such file. Build the firmware first.")
    try:
        with elf.open("rb") as file:
            parsed = ELFFile(file)
            return Image(tuple(_sections(parsed)), tuple(_symbols(parsed)), _compiler(parsed))
    except Exception as error:  # pyelftools lets anything through that a damaged file leads to
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise BuildError(f"{elf}: not an ELF file ({reason}). Build the firmware again.") from error


def measure(image: Image, stack: StackUse, rows: Sequence[LayerRow]) -> Memory:
    """Join what the ELF file, the board's stack and the plan say."""
    in_ram = {section.name for section in image.sections if section.in_ram}
    return Memory(
        flash_bytes=image.flash_bytes,
        static_ram_bytes=image.static_ram_bytes,
        stack_peak_bytes=stack.peak_bytes,
        stack_reserved_bytes=stack.size_bytes,
        compiler=image.compiler,
        sections=image.sections,
        flash_by_layer=flash_by_layer(image, {row.layer.name: row.kinds for row in rows}),
        arena_by_layer={row.layer.name: arena_of(row) for row in rows},
        flash_by_symbol=_besides_the_model(image, rows),
        ram_by_symbol={
            symbol.name: symbol.bytes
            for symbol in image.symbols
            if symbol.section in in_ram and symbol.section not in STACK_SECTIONS
        },
    )


def flash_by_layer(image: Image, arrays: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return the bytes of constants of each layer.

    Args:
        image: of the firmware.
        arrays: the kinds of arrays that each layer has; their symbols are ``<layer>_<kind>``.
    """
    in_flash = {section.name for section in image.sections if not section.in_ram}
    sizes = {s.name: s.bytes for s in image.symbols if s.section in in_flash}
    return {
        layer: sum(sizes.get(f"{identifier(layer)}_{kind}", 0) for kind in kinds)
        for layer, kinds in arrays.items()
    }


def _besides_the_model(image: Image, rows: Sequence[LayerRow]) -> dict[str, int]:
    """Return the largest functions and arrays in flash that are none of the layers' arrays."""
    arrays = {f"{identifier(row.layer.name)}_{kind}" for row in rows for kind in row.kinds}
    in_flash = {
        section.name for section in image.sections if section.in_flash and not section.in_ram
    }
    symbols = [
        symbol
        for symbol in image.symbols
        if symbol.section in in_flash and symbol.name not in arrays
    ]
    return {symbol.name: symbol.bytes for symbol in symbols[:LARGEST_SYMBOLS]}


def arena_of(row: LayerRow) -> int:
    """Return the bytes that a layer's input and output take together; they may overlap."""
    (low, low_size), (high, high_size) = sorted(
        ((row.in_offset, row.in_bytes), (row.out_offset, row.out_bytes))
    )
    shared = max(0, min(low + low_size, high + high_size) - high)
    return low_size + high_size - shared


def _sections(parsed: Any) -> Iterable[Section]:
    for section in parsed.iter_sections():
        flags = section["sh_flags"]
        if flags & SH_FLAGS.SHF_ALLOC and section["sh_size"]:
            yield Section(
                name=section.name,
                bytes=section["sh_size"],
                in_flash=section["sh_type"] != "SHT_NOBITS",
                in_ram=bool(flags & SH_FLAGS.SHF_WRITE),
            )


def _symbols(parsed: Any) -> Iterable[Symbol]:
    """Yield objects and functions with a size, largest first, then by name."""
    table = parsed.get_section_by_name(".symtab")
    if table is None:
        return
    entries = set()
    for symbol in table.iter_symbols():
        index = symbol["st_shndx"]
        if symbol["st_size"] and isinstance(index, int):
            section = parsed.get_section(index).name
            entries.add((-symbol["st_size"], symbol.name, section))
    for size, name, section in sorted(entries):
        yield Symbol(name, section, -size)


def _compiler(parsed: Any) -> str:
    """Return the first line of ``.comment``: ``GCC: (...) 12.2.1 20221205``."""
    section = parsed.get_section_by_name(".comment")
    if section is None:
        return ""
    text: str = section.data().split(b"\0")[0].decode("ascii", "replace")
    return text
