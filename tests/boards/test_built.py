"""Firmware for the boards that are not here: built, and laid out as the part expects it."""

import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from dynadeep.codegen.board import Board, board_names, load_board

NOT_RUN_HERE = [
    name
    for name in board_names()
    if load_board(name).cortex_m and load_board(name).emulator is None
]
ALLOCATED = 2  # SHF_ALLOC


def sections(elf: Path) -> list[tuple[str, int, int]]:
    """Return name, address and size of what takes room on the part."""
    with elf.open("rb") as file:
        return [
            (section.name, section["sh_addr"], section["sh_size"])
            for section in ELFFile(file).iter_sections()
            if section["sh_flags"] & ALLOCATED and section["sh_size"]
        ]


def memory_of(board: Board, address: int, size: int) -> str:
    for name in ("flash", "ram"):
        part = getattr(board, name)
        if part.origin <= address and address + size <= part.origin + part.bytes:
            return name
    return "nowhere"


@pytest.mark.parametrize("name", NOT_RUN_HERE)
def test_every_section_lies_in_the_memories_of_its_board(name, firmware):
    board = load_board(name)
    places = {one[0]: memory_of(board, *one[1:]) for one in sections(firmware(name).elf)}
    assert "nowhere" not in places.values()
    assert {places[".vectors"], places[".text"]} == {"flash"}
    assert {places[".stack"], places[".bss"]} == {"ram"}


@pytest.mark.parametrize("name", NOT_RUN_HERE)
def test_the_image_begins_with_a_stack_in_ram_and_a_reset_vector_in_flash(name, firmware):
    board, built = load_board(name), firmware(name)
    stack, reset = struct.unpack("<II", built.bin.read_bytes()[:8])
    assert sections(built.elf)[0][:2] == (".vectors", board.flash.origin)
    assert memory_of(board, stack - 4, 4) == "ram"
    assert reset & 1  # Thumb
    assert memory_of(board, reset & ~1, 2) == "flash"


@pytest.mark.parametrize("name", NOT_RUN_HERE)
def test_the_core_of_the_firmware_is_that_of_its_board(name, firmware):
    with firmware(name).elf.open("rb") as file:
        attributes = ELFFile(file).get_section_by_name(".ARM.attributes")
        found = {
            one.tag: one.value
            for part in attributes.iter_subsections()
            for scope in part.iter_subsubsections()
            for one in scope.iter_attributes()
        }
    assert (
        found["TAG_CPU_NAME"].lower().replace("+", "plus")
        in {
            "cortex-m4": {"cortex-m4", "7e-m"},
            "cortex-m7": {"cortex-m7", "7e-m"},
            "cortex-m33": {"cortex-m33", "8-m.main"},
            "cortex-m0plus": {"cortex-m0plus", "6s-m"},
        }[load_board(name).core.cpu]
    )


BEGIN, END, IMAGE_TYPE, LAST = 0xFFFFDED3, 0xAB123579, 0x42, 0xFF
EXECUTABLE, SECURE, ARM, RP2350 = 0x0001, 0x0020, 0x0000, 0x1000


def test_the_boot_rom_of_the_pico_finds_its_block_in_the_first_4_kb(firmware):
    """RP2350 Datasheet 5.9: a loop of blocks, each a list of items that ends with its length."""
    image = firmware("pico2").bin.read_bytes()[:4096]
    words = struct.unpack(f"<{len(image) // 4}I", image)
    at = words.index(BEGIN)
    assert words.count(BEGIN) == 1
    first, last = words[at + 1], words[at + 2]
    assert (first & 0xFF, first >> 8 & 0xFF) == (IMAGE_TYPE, 1)
    assert first >> 16 == EXECUTABLE | SECURE | ARM | RP2350
    assert (last & 0xFF, last >> 8 & 0xFFFF) == (LAST, 1)  # one word of items before it
    assert words[at + 3 : at + 5] == (0, END)  # to itself: no other block
