"""A firmware as it is counted: its functions, its instructions, and where its network is run."""

import bisect
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools.errors import BuildError

DISASSEMBLER = "arm-none-eabi-objdump"
ENGINE_FILES = ("dd_stream.c", "dd_layers.c")
STAGES, BEGIN, END = "stages", "board_ticks", "dd_app_clock"
"""The table of layers; where the application reads its clock, and where it books the time."""

LINE = re.compile(r"^\s*([0-9a-f]+):\t((?:[0-9a-f]{4} ?)+)\s*\t([^\t\n]+)(?:\t([^@;\n]*))?")
OTHER_CODE = "?"


@dataclass(frozen=True)
class Instruction:
    """One instruction as the disassembler writes it."""

    address: int
    bytes: int
    mnemonic: str  # "ldr.w"
    operands: str  # "r0, [r1, #4]"


@dataclass(frozen=True)
class Function:
    """A function and the source file that it is from, "" where that is not known."""

    name: str
    start: int
    bytes: int
    file: str


@dataclass(frozen=True)
class Program:
    """What of an ELF file is needed to count its blocks and to price them."""

    functions: tuple[Function, ...]  # by address
    instructions: dict[int, Instruction]
    stages: tuple[int, int]  # the table's first address and the one behind it
    kernels: tuple[int, ...]  # where the kernel of each stage begins

    def function_at(self, address: int) -> str:
        """Return the name of the function that an address belongs to."""
        starts = [function.start for function in self.functions]
        index = bisect.bisect(starts, address) - 1
        return self.functions[index].name if index >= 0 else OTHER_CODE

    def start_of(self, name: str) -> int:
        """Return where a function begins.

        Raises:
            BuildError: there is none of that name.
        """
        for function in self.functions:
            if function.name == name:
                return function.start
        raise BuildError(f"the firmware has no function {name}, between which its runs are counted")

    def block(self, start: int, size: int) -> list[Instruction]:
        """Return the instructions of a block of ``size`` bytes."""
        instructions = []
        address = start
        while address < start + size and address in self.instructions:
            instructions.append(self.instructions[address])
            address += instructions[-1].bytes
        return instructions

    def behind(self, block: Sequence[Instruction]) -> Instruction | None:
        """Return the instruction behind a block, None where there is none."""
        return self.instructions.get(block[-1].address + block[-1].bytes) if block else None


def read_program(elf: Path, stages: int) -> Program:
    """Read a firmware that runs a network of so many stages.

    Raises:
        BuildError: it is no such firmware.
        MissingDependencyError: there is no disassembler.
    """
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        functions = tuple(sorted(_functions(parsed), key=lambda function: function.start))
        begin, size = _stages(parsed, elf)
        if stages == 0 or size % stages:
            raise BuildError(f"{elf}: its table of layers has {size} bytes, which are not {stages}")
        table = _bytes_at(parsed, begin, size)
    stride = size // stages
    kernels = tuple(
        struct.unpack_from("<I", table, number * stride)[0] & ~1 for number in range(stages)
    )
    return Program(functions, _disassembled(elf), (begin, begin + size), kernels)


def _functions(parsed: Any) -> Iterator[Function]:
    """Yield each function; those that have several names once."""
    file, seen = "", set()
    for symbol in parsed.get_section_by_name(".symtab").iter_symbols():
        kind, binding = symbol["st_info"]["type"], symbol["st_info"]["bind"]
        if kind == "STT_FILE":
            file = symbol.name
        if kind != "STT_FUNC" or not isinstance(symbol["st_shndx"], int):
            continue
        start = symbol["st_value"] & ~1
        if start not in seen:
            seen.add(start)
            local = binding == "STB_LOCAL"
            yield Function(symbol.name, start, symbol["st_size"], file if local else "")


def _stages(parsed: Any, elf: Path) -> tuple[int, int]:
    symbols = parsed.get_section_by_name(".symtab").get_symbol_by_name(STAGES) or []
    if len(symbols) != 1:
        raise BuildError(
            f"{elf}: has {len(symbols)} tables of layers ({STAGES}), expected that of one network. "
            "Build it from a generated project."
        )
    return symbols[0]["st_value"], symbols[0]["st_size"]


def _bytes_at(parsed: Any, address: int, size: int) -> bytes:
    for section in parsed.iter_sections():
        offset = address - section["sh_addr"]
        if section["sh_type"] == "SHT_PROGBITS" and 0 <= offset <= section["sh_size"] - size:
            content: bytes = section.data()[offset : offset + size]
            return content
    raise BuildError(f"the firmware's table of layers at {address:#x} lies in none of its sections")


def _disassembled(elf: Path) -> dict[int, Instruction]:
    tool = shutil.which(DISASSEMBLER)
    if tool is None:
        raise MissingDependencyError(
            f"{DISASSEMBLER}: not installed. Install it: apt-get install binutils-arm-none-eabi"
        )
    completed = subprocess.run([tool, "-d", str(elf)], capture_output=True, text=True, check=False)
    if completed.returncode != 0:
        raise BuildError(f"{elf}: {DISASSEMBLER} failed: {completed.stderr.strip()}")
    instructions = {}
    for line in completed.stdout.splitlines():
        match = LINE.match(line)
        if match is not None:
            address, size = int(match[1], 16), len(match[2].replace(" ", "")) // 2
            operands = (match[4] or "").strip()
            instructions[address] = Instruction(address, size, match[3].strip(), operands)
    return instructions
