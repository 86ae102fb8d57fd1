"""Board descriptions: every mistake is one line that names the key."""

import pytest

from dynadeep.codegen.board import board_names, boards_folder, load_board, parse_board
from dynadeep.codegen.errors import BoardError

TEXT = """
name = "bench"
description = "a board"
target = "cortex-m"
[core]
cpu = "cortex-m4"
flags = ["-mcpu=cortex-m4"]
clock_hz = 8_000_000
[flash]
origin = 0x08000000
bytes = 65_536
[ram]
origin = 0x20000000
bytes = 20_480
stack_bytes = 2_048
[uart]
base = 0x40011000
baud = 115_200
[counter]
rate_hz = 8_000_000
unit = "cycles"
"""

WRONG = {
    "not TOML": ("name =", "x ==", "not TOML"),
    "a key nobody knows": ("baud =", "bauds =", r'unknown key "uart\.bauds"\. Known: base, baud'),
    "a missing key": ("bytes = 20_480\n", "", r'key "ram\.bytes" is missing'),
    "text for a number": ("8_000_000", '"8 MHz"', r'key "core\.clock_hz" is .8 MHz., expected an'),
    "a truth for a number": ("65_536", "true", r'key "flash\.bytes" is True, expected an integer'),
    "a negative size": ("65_536", "-1", r'key "flash\.bytes" is -1, expected 0 to'),
    "one flag that is no list": ('["-mcpu=cortex-m4"]', '"-mcpu"', "expected (a list|text)"),
    "flags that are numbers": ('["-mcpu=cortex-m4"]', "[4]", "expected (a list|text)"),
    "an unknown target": ('"cortex-m"', '"riscv"', 'expected "cortex-m" or "native"'),
    "an unknown unit": ('"cycles"', '"ticks"', 'expected "cycles" or "instructions" or'),
    "a driver nobody wrote": (
        "base = 0x40011000",
        'driver = "usart"\nbase = 0x40011000',
        'uart\\.driver is "usart", expected one of cmsdk, pl011, stm32',
    ),
    "a table that is a number": ("[uart]\nbase = 0x40011000\nbaud = 115_200\n", "", r"\[uart\] is"),
}


def test_a_description_becomes_typed_data() -> None:
    board = parse_board(TEXT, "board.toml")
    assert board.ram is not None
    assert (board.ram.origin, board.ram.stack_bytes) == (0x2000_0000, 2048)
    assert board.core.flags == ("-mcpu=cortex-m4",)
    assert board.emulator is None
    assert board.uart is not None
    assert board.uart.driver is None  # the board's own file drives it


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_description_is_refused_by_key(case: str) -> None:
    old, new, message = WRONG[case]
    assert old in TEXT
    with pytest.raises(BoardError, match=f"^here: .*{message}") as caught:
        parse_board(TEXT.replace(old, new, 1), "here")
    assert "\n" not in str(caught.value)


def test_an_unknown_board_names_those_there_are() -> None:
    with pytest.raises(
        BoardError, match=r"nucleo: no such board\. There are .*mps2-an386, .*native"
    ):
        load_board("nucleo")


def test_a_path_is_no_board() -> None:
    with pytest.raises(BoardError, match="no such board"):
        load_board("../boards/native")


@pytest.mark.parametrize("name", board_names())
def test_every_board_of_the_kit_loads(name: str) -> None:
    assert load_board(name).name == name


def test_the_folder_to_copy_is_no_board_but_parses() -> None:
    assert "_template" not in board_names()
    text = (boards_folder() / "_template/board.toml").read_text(encoding="utf-8")
    assert parse_board(text, "_template").emulator is not None
