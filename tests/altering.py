"""Firmware with one thing in it changed, as a stray hand would."""

from collections.abc import Callable
from pathlib import Path

from elftools.elf.elffile import ELFFile


def change_constant(elf: Path, array: str, change: Callable[[int], int]) -> None:
    """Change the first value of one of the model's arrays, as it lies in an ELF file."""
    size = 4 if array.endswith(("_bias", "_multiplier")) else 1
    with elf.open("r+b") as file:
        image = ELFFile(file)
        (symbol,) = image.get_section_by_name(".symtab").get_symbol_by_name(array)
        section = image.get_section(symbol["st_shndx"])
        at = section["sh_offset"] + symbol["st_value"] - section["sh_addr"]
        file.seek(at)
        value = int.from_bytes(file.read(size), "little")
        file.seek(at)
        file.write((change(value) % 256**size).to_bytes(size, "little"))
