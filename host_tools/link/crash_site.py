"""Where in the sources a firmware crashed: an address, by the DWARF information of its ELF file.

Binutils are not needed: a test station that was given the firmware names the line, too.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from elftools.elf.elffile import ELFFile

from dynadeep.host_tools.link.protocol import Fault

FUNCTIONS = ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine")
ORIGINS = ("DW_AT_abstract_origin", "DW_AT_specification")
FIRST_FILE_IN_V5 = 0
"""Files are counted from 0 since DWARF 5, from 1 before."""


def describe_site(elf: Path, fault: Fault, *, native: bool = False) -> str:
    """Return where a fault happened and what had called that function, as far as it is known.

    Returns:
        "function at file:line, called from function at file:line", or nothing.
    """
    place = locate(elf, fault.pc, native=native)
    # The link register is the caller's only until the function itself calls another.
    caller = locate(elf, fault.lr, native=native)
    if not place or not caller or caller.partition(" at ")[0] == place.partition(" at ")[0]:
        return place
    return f"{place}, called from {caller}"


def locate(elf: Path, address: int, *, native: bool = False) -> str:
    """Return "function at file:line" for an address in a firmware; nothing if it has no line."""
    if address == 0:
        return ""
    address = address if native else address & ~1  # the Thumb bit is no part of it
    try:
        with elf.open("rb") as file:
            image = ELFFile(file)
            return _locate(image.get_dwarf_info(), address) if image.has_dwarf_info() else ""
    except Exception:  # pyelftools lets anything through that a damaged file leads to
        return ""


def _locate(dwarf: Any, address: int) -> str:
    aranges = dwarf.get_aranges()
    offset = aranges.cu_offset_at_addr(address) if aranges is not None else None
    if offset is None:
        return ""
    unit = dwarf.get_CU_at(offset)
    line, function = _line(dwarf, unit, address), _function(dwarf, unit, address)
    return f"{function} at {line}" if line and function else line or function


def _line(dwarf: Any, unit: Any, address: int) -> str:
    """Return "file:line" of the row of the line table that ``address`` falls into."""
    program = dwarf.line_program_for_CU(unit)
    before = None
    for entry in program.get_entries() if program is not None else ():
        state = entry.state
        if state is None:
            continue
        if before is not None and before.address <= address < state.address:
            return f"{_file_name(program, before.file)}:{before.line}"
        before = None if state.end_sequence else state
    return ""


def _file_name(program: Any, number: int) -> str:
    first = FIRST_FILE_IN_V5 if program["version"] >= 5 else 1
    name: bytes = program["file_entry"][number - first].name
    return PurePosixPath(name.decode(errors="replace")).name


def _function(dwarf: Any, unit: Any, address: int) -> str:
    """Return the innermost function around ``address``: that of an inlined piece is its own."""
    innermost = ""
    pending = [unit.get_top_DIE()]
    while pending:
        entry = pending.pop()
        if entry.tag in FUNCTIONS and any(
            begin <= address < end for begin, end in _ranges(dwarf, unit, entry)
        ):
            innermost = _name(entry)
            pending = []
        pending += entry.iter_children()
    return innermost


def _ranges(dwarf: Any, unit: Any, entry: Any) -> Iterator[tuple[int, int]]:
    attributes = entry.attributes
    if "DW_AT_low_pc" in attributes and "DW_AT_high_pc" in attributes:
        low, high = attributes["DW_AT_low_pc"].value, attributes["DW_AT_high_pc"]
        yield low, high.value if high.form == "DW_FORM_addr" else low + high.value
    elif "DW_AT_ranges" in attributes:
        base = unit.get_top_DIE().attributes.get("DW_AT_low_pc")
        start = base.value if base is not None else 0
        lists = dwarf.range_lists()
        for range_entry in lists.get_range_list_at_offset(attributes["DW_AT_ranges"].value, unit):
            if hasattr(range_entry, "base_address"):
                start = range_entry.base_address
                continue
            shift = 0 if getattr(range_entry, "is_absolute", False) else start
            yield range_entry.begin_offset + shift, range_entry.end_offset + shift


def _name(entry: Any) -> str:
    """Return a function's name; that of an inlined piece stands with its origin."""
    while "DW_AT_name" not in entry.attributes:
        origin = next((attribute for attribute in ORIGINS if attribute in entry.attributes), None)
        if origin is None:
            return ""
        entry = entry.get_DIE_from_attribute(origin)
    name: bytes = entry.attributes["DW_AT_name"].value
    return name.decode(errors="replace")
