"""Board descriptions: every mistake is one line that names the key."""

from pathlib import Path

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
driver = "dwt"
rate_hz = 8_000_000
unit = "cycles"
"""

WRONG = {
    "not TOML": ("name =", "x ==", "not TOML"),
    "a key nobody knows": ("baud =", "bauds =", r'unknown key "uart\.bauds"\. Known: base, baud'),
    "a missing key": ("bytes = 20_480\n", "", r'key "ram\.bytes" is missing'),
    "text for a number": ("8_000_000", '"8 MHz"', r'key "core\.clock_hz" is .8 MHz., expected an'),
    "a truth for a number": ("65_536", "true", r'key "flash\.bytes" is True, expected an integer'),
    "a negative size": ("65_536", "-1", r'key "flash\.bytes" is -1, expected an integer from 1 to'),
    "one flag that is no list": ('["-mcpu=cortex-m4"]', '"-mcpu"', "expected (a list|text)"),
    "flags that are numbers": ('["-mcpu=cortex-m4"]', "[4]", "expected a -m option of gcc"),
    "a flag that runs CMake code": (
        '"-mcpu=cortex-m4"',
        '"-mcpu=cortex-m4", "-mthumb)\\nexecute_process(COMMAND sh)"',
        "a -m option",
    ),
    "a generator expression": (
        '"-mcpu=cortex-m4"',
        '"-mcpu=cortex-m4", "-mx=$<TARGET_FILE:firmware>"',
        "a -m option of gcc",
    ),
    "a variable": ('"-mcpu=cortex-m4"', '"-mcpu=${CMAKE_HOME}"', "expected a -m option of gcc"),
    "a shell's command": ('"-mcpu=cortex-m4"', '"-mcpu=cortex-m4;rm -r ."', "expected a -m option"),
    "a file of options": ('"-mcpu=cortex-m4"', '"@/etc/passwd"', "expected a -m option of gcc"),
    "a specs file": ('"-mcpu=cortex-m4"', '"-specs=evil"', "expected a -m option of gcc"),
    "a core that there is not": (
        'cpu = "cortex-m4"',
        'cpu = "cortex-m9"',
        'core.cpu is "cortex-m9"',
    ),
    "flags of another core": (
        "-mcpu=cortex-m4",
        "-mcpu=cortex-m3",
        "core.flags select .*cortex-m3",
    ),
    "a clock of a terahertz": ("clock_hz = 8_000_000", "clock_hz = 1_000_000_000_000", "clock_hz"),
    "no clock": (
        "clock_hz = 8_000_000",
        "clock_hz = 0",
        "core.clock_hz. is 0, expected an integer",
    ),
    "a counter that stands": ("rate_hz = 8_000_000", "rate_hz = 0", "counter.rate_hz. is 0"),
    "no baud": ("baud = 115_200", "baud = 0", "uart.baud. is 0"),
    "flash beyond 32 bits": (
        "0x08000000",
        "0xFFFFFFFF",
        "flash ends at 0x10000ffff, beyond 32 bits",
    ),
    "memories that overlap": (
        "0x20000000",
        "0x08001000",
        "flash at 0x8000000 and ram at .* overlap",
    ),
    "a stack of nothing": ("2_048", "0", "ram.stack_bytes. is 0, expected an integer from 256"),
    "an odd stack": ("2_048", "2_044", "stack_bytes is 2044, expected a multiple of 8"),
    "a stack beyond the RAM": ("2_048", "20_488", "stack_bytes is 20,488, more than all 20,480"),
    "RAM that the guard cannot have": ("0x20000000", "0x20000800", "expected a multiple of 4096"),
    "a description that ends a comment": ("a board", "a */ board", "one line of plain words"),
    "a name with a quote": ('"bench"', "'be\"nch'", "a-z, 0-9, _ and -"),
    "an integer of 400 digits": ("65_536", "9" * 400, "flash.bytes. is an integer of 1329 bits"),
    "an infinite number": ("65_536", "inf", "flash.bytes. is inf, expected a number"),
    "tables without end": (
        "name =",
        "x = " + "[" * 5000 + "]" * 5000 + "\nname =",
        "not TOML|within",
    ),
    "an unknown target": ('"cortex-m"', '"riscv"', 'expected "cortex-m" or "native"'),
    "an unknown unit": ('"cycles"', '"ticks"', 'expected "cycles" or "instructions" or'),
    "a driver nobody wrote": (
        "base = 0x40011000",
        'driver = "usart"\nbase = 0x40011000',
        'uart\\.driver is "usart", expected one of cmsdk, nrf, pl011, stm32',
    ),
    "a counter nobody wrote": (
        'driver = "dwt"',
        'driver = "rtc"',
        'counter\\.driver is "rtc", expected one of dwt, nrf_timer, systick',
    ),
    "a counter that the core has not": (
        '-m4"\nflags = ["-mcpu=cortex-m4"]',
        '-m0"\nflags = ["-mcpu=cortex-m0"]',
        'counter\\.driver is "dwt", and a cortex-m0 has no counter of cycles',
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
    _, explained, place = str(caught.value).partition(" is explained in ")
    assert not explained or Path(place.removesuffix(".")).is_file()


def test_an_unknown_board_names_those_there_are() -> None:
    with pytest.raises(
        BoardError, match=r"nucleo: no such board, .*There are .*mps2-an386, .*native"
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
