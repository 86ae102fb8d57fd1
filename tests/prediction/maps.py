"""What of a linker's map takes flash, by the source file that it comes from."""

import re
from collections import Counter
from pathlib import Path

IN_FLASH = (".vectors", ".text", ".rodata", ".ARM.exidx", ".data")
OUTPUT = re.compile(r"^(\.[A-Za-z_.]+)(?:\s|$)")
INPUT = re.compile(r"^ (?:\.\S+|\*fill\*)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+)(?: (\S.*))?$")
RUNTIME = re.compile(r"libdynadeep\.a\((.+)\.obj\)$")
OWN = re.compile(r"firmware\.dir/((?:app|board)/.+)\.obj$")
SYMBOL = re.compile(r"^\s+0x[0-9a-f]+\s+(\w+)$")
MEMBER = re.compile(r"/(lib\w+\.a)\((.+)\)$")


def sizes_by_file(text: str) -> Counter[str]:
    """Return the bytes in flash of each source; what lies between two goes to the one behind.

    Sources are called ``dd_net.c``, ``app/main.c``, ``board/board.c``, ``libgcc.a/x.o``.
    """
    sizes: Counter[str] = Counter()
    section, fill = "", 0
    for line in _joined(text[text.index("Linker script and memory map") :]):
        output = OUTPUT.match(line)
        if output is not None:
            section = output[1]
        match = INPUT.match(line)
        if match is None or section not in IN_FLASH:
            continue
        if match[2] is None:
            fill += int(match[1], 16)
        elif int(match[1], 16):
            sizes[source_of(match[2])] += int(match[1], 16) + fill
            fill = 0
    return sizes


def library_symbols(text: str) -> dict[str, str]:
    """Return the member of a library that each of its linked symbols is from."""
    members: dict[str, str] = {}
    member = ""
    for line in _joined(text[text.index("Linker script and memory map") :]):
        match = INPUT.match(line)
        if match is not None:
            member = source_of(match[2]) if match[2] and MEMBER.search(match[2]) else ""
        symbol = SYMBOL.match(line)
        if member and symbol is not None:
            members[symbol[1]] = member
    return members


def wanted_by(text: str) -> dict[str, str]:
    """Return what each member of a library was linked for: a source, or another member."""
    listed = text[: text.index("\nMemory Configuration")]
    pairs = re.findall(r"^(/\S+)\n?\s+(\S+) \(\S+\)$", listed, flags=re.MULTILINE)
    return {source_of(member): source_of(by) for member, by in pairs}


def source_of(path: str) -> str:
    """Return what an object file was made of."""
    for pattern in (RUNTIME, OWN):
        match = pattern.search(path)
        if match is not None:
            return match[1]
    member = MEMBER.search(path)
    return f"{member[1]}/{member[2]}" if member else Path(path).name


def _joined(text: str) -> list[str]:
    """Return the lines, where a long name stands on a line of its own with what follows it."""
    return re.sub(r"^( \.\S+)\n\s+(0x)", r"\1 \2", text, flags=re.MULTILINE).splitlines()
